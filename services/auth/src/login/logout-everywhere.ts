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
  { actingOf, guards, cookies }: Pick<Parts, 'actingOf' | 'guards' | 'cookies'>
): void {
  const config = { audited: 'logout_everywhere' } as const
  app.post('/logout-everywhere', { schema, config, onRequest: guards.account }, async (request, reply) => {
    await logOutEverywhere(actingOf(request), request.caller)
    if (request.byCookie) cookies.clear(reply)
    return reply.code(204).send(null)
  })
}
