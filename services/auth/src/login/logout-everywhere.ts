import { emit } from '@latchkey/events/emit'
import type { App } from '@latchkey/frame/app-type'
import { ACCOUNT_PROBLEMS, BODY_PROBLEMS, HEADER_OR_COOKIE, problems } from '@latchkey/frame/schemas'
import { Type } from 'typebox'
import type { Parts } from '../parts/parts.ts'
import { logOutEverywhere } from '../sessions/revocation.ts'

const schema = {
  tags: ['sessions'],
  operationId: 'logOutEverywhere',
  summary: 'End every session of the caller, also the present one',
  security: HEADER_OR_COOKIE,
  response: {
    204: Type.Null({ description: 'All sessions are over' }),
    ...problems(...ACCOUNT_PROBLEMS, ...BODY_PROBLEMS)
  }
}

/** `POST /logout-everywhere`: replaces the token hash, so every earlier refresh token is invalid. */
export function logoutEverywhere(
  app: App,
  { database, guards, cookies }: Pick<Parts, 'database' | 'guards' | 'cookies'>
): void {
  app.post('/logout-everywhere', { schema, onRequest: guards.account }, async (request, reply) => {
    const { caller } = request
    await logOutEverywhere(database, caller)
    emit(request.log, 'logout_everywhere', { user: caller.id, session: caller.sid })
    if (request.byCookie) cookies.clear(reply)
    return reply.code(204).send(null)
  })
}
