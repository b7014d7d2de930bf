import { emit } from '@latchkey/events/emit'
import type { App } from '@latchkey/frame/app-type'
import { BODY_PROBLEMS, problems, TOKEN_PROBLEMS } from '@latchkey/frame/schemas'
import { Type } from 'typebox'
import type { Parts } from '../parts/parts.ts'
import { hasCustomKey } from '../sessions/custom-key.ts'
import { markEnded } from '../sessions/sessions.ts'
import { findTokenHash } from '../users/find.ts'

const schema = {
  tags: ['sessions'],
  operationId: 'logOut',
  summary: 'End the session of a refresh token',
  description:
    'Any genuine refresh token of the session will do, an expired or superseded one too. Also the second time: 204.',
  security: [{ bearer: [] }],
  response: { 204: Type.Null({ description: 'The session is over' }), ...problems(...TOKEN_PROBLEMS, ...BODY_PROBLEMS) }
}

/** `POST /logout`: a token from before a password change changes nothing, because its session has ended already. */
export function logout(app: App, { database, guards }: Pick<Parts, 'database' | 'guards'>): void {
  app.post('/logout', { schema, onRequest: guards.genuineRefresh }, async (request, reply) => {
    const { refreshClaims: shown } = request
    const tokenHash = await findTokenHash(database, shown.sub)
    if (tokenHash && hasCustomKey(shown, tokenHash)) {
      const ended = await markEnded(database, { sid: shown.sid, userId: shown.sub, reason: 'logout' })
      if (ended) emit(request.log, 'logout', { user: shown.sub, session: shown.sid })
    }
    return reply.code(204).send(null)
  })
}
