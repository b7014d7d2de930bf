import type { App } from '@latchkey/frame/app-type'
import { BODY_PROBLEMS, problems, TOKEN_PROBLEMS } from '@latchkey/frame/schemas'
import { Type } from 'typebox'
import type { Parts } from '../parts/parts.ts'
import { endShown } from './end-shown.ts'

const schema = {
  tags: ['sessions', 'cookies'],
  operationId: 'logOut',
  summary: 'End the session of a refresh token or cookie',
  description:
    'Accepts any genuine refresh token of the session, even an expired or superseded one. A repeat also gets 204. ' +
    'Without an Authorization header it uses the refresh cookie, clears both cookies, and answers 204 even without one.',
  security: [{ refreshToken: [] }, { refreshCookie: [] }, {}],
  response: {
    204: Type.Null({ description: 'The session is over' }),
    ...problems(...TOKEN_PROBLEMS, ...BODY_PROBLEMS, 'cross_site')
  }
}

/** `POST /logout`: stores the end of the session before it answers. While the database is away the cookies stay. */
export function logout(app: App, { actingOf, guards, cookies }: Pick<Parts, 'actingOf' | 'guards' | 'cookies'>): void {
  app.post('/logout', { schema, config: { audited: 'logout' }, onRequest: guards.leaving }, async (request, reply) => {
    const { leavingClaims, byCookie } = request
    if (leavingClaims) await endShown(actingOf(request), leavingClaims)
    if (byCookie) cookies.clear(reply)
    return reply.code(204).send(null)
  })
}
