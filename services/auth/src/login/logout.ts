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
    'Any genuine refresh token of the session will do, an expired or superseded one too. Also the second time: 204. ' +
    'Without an Authorization header it goes by the refresh cookie, clears both cookies, and answers 204 without one too.',
  security: [{ bearer: [] }, { refreshCookie: [] }, {}],
  response: {
    204: Type.Null({ description: 'The session is over' }),
    ...problems(...TOKEN_PROBLEMS, ...BODY_PROBLEMS, 'cross_site')
  }
}

/** `POST /logout`: what it answers is stored first; while the database is away the cookies stay. */
export function logout(app: App, { database, guards, cookies }: Pick<Parts, 'database' | 'guards' | 'cookies'>): void {
  app.post('/logout', { schema, onRequest: guards.leaving }, async (request, reply) => {
    const { leavingClaims, byCookie, log } = request
    if (leavingClaims) await endShown({ database, log }, leavingClaims)
    if (byCookie) cookies.clear(reply)
    return reply.code(204).send(null)
  })
}
