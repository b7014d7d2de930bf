import type { App } from '@latchkey/service/app'
import { OF_BODIES, OF_TOKENS, problems } from '@latchkey/service/schemas'
import { Problem } from '@latchkey/tokens/errors'
import type { Queryable } from '../database.ts'
import type { Guards } from './guard.ts'
import { findGrant } from './sessions.ts'
import { hasCustomKey, type IssueTokens, TOKENS } from './tokens.ts'

const schema = {
  tags: ['sessions'],
  summary: 'Get a new access token for a refresh token',
  security: [{ bearer: [] }],
  response: {
    200: TOKENS,
    ...problems(...OF_TOKENS)
  }
}

/** POST takes no body, but a request may have one, which must not be too large or of another type. */
const SCHEMAS = {
  GET: schema,
  POST: { ...schema, response: { ...schema.response, ...problems(...OF_BODIES, ...OF_TOKENS) } }
}

/** What refreshing is made of. */
export interface RefreshParts {
  readonly database: Queryable
  readonly issue: IssueTokens
  readonly guards: Guards
}

/**
 * `GET` and `POST /refresh-token`, for the refresh token in the Authorization header.
 *
 * All that the new pair says comes from the one row that decided. A token that fails changes nothing.
 */
export function refreshToken(app: App, { database, issue, guards }: RefreshParts): void {
  for (const method of ['GET', 'POST'] as const) {
    // A HEAD would do the work and throw the tokens away.
    app.route({
      method,
      url: '/refresh-token',
      schema: SCHEMAS[method],
      exposeHeadRoute: false,
      onRequest: guards.refresh,
      handler: async (request, reply) => {
        const { refreshClaims: shown } = request
        const grant = await findGrant(database, shown.sid, shown.sub)
        if (!grant)
          throw new Problem('invalid_token', { reason: `session ${shown.sid} is over or its user not enabled` })
        if (!hasCustomKey(shown, grant.token_hash)) {
          throw new Problem('invalid_token', { reason: `custom key of session ${shown.sid} is stale` })
        }
        request.log.info({ event: 'refresh', user: grant.user_id, session: grant.sid }, 'refreshed')
        return reply.send(await issue(grant))
      }
    })
  }
}
