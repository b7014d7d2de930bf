import { transact } from '@latchkey/audit/acting'
import type { App } from '@latchkey/frame/app-type'
import { canonicalId, idOf } from '@latchkey/frame/ids'
import { ACCOUNT_PROBLEMS, BODY_PROBLEMS, HEADER_OR_COOKIE, problems } from '@latchkey/frame/schemas'
import { Problem } from '@latchkey/problems/problem'
import { Type } from 'typebox'
import type { Parts } from '../parts/parts.ts'
import { markEnded } from '../sessions/sessions.ts'

const schema = {
  tags: ['sessions'],
  operationId: 'endSession',
  summary: 'End one session of the caller; its refresh token stops working',
  security: HEADER_OR_COOKIE,
  params: Type.Object({ id: idOf('a session') }),
  response: {
    204: Type.Null({ description: 'Ended' }),
    ...problems(...ACCOUNT_PROBLEMS, ...BODY_PROBLEMS, 'not_found')
  }
}

/** `DELETE /sessions/:id`: for another user's session it answers `not_found`, as if there were no such session. */
export function endSession(app: App, { actingOf, guards }: Pick<Parts, 'actingOf' | 'guards'>): void {
  const config = { audited: 'session_ended' } as const
  app.delete('/sessions/:id', { schema, config, onRequest: guards.account }, async (request, reply) => {
    const { caller } = request
    const sid = canonicalId(request.params.id)
    await transact(actingOf(request), async (connection, note) => {
      const ended = await markEnded(connection, { sid, userId: caller.id, reason: 'revoked' })
      if (!ended) throw new Problem('not_found')
      note('session_ended', { user: caller.id, session: sid, by: caller.sid })
    })
    return reply.code(204).send(null)
  })
}
