import type { App } from '@latchkey/service/app'
import { OF_BODIES, OF_TOKENS, problems } from '@latchkey/service/schemas'
import { Problem } from '@latchkey/tokens/errors'
import type { FastifyRequest } from 'fastify'
import type { Queryable } from '../database.ts'
import type { Guards } from './guard.ts'
import { originOf } from './origin.ts'
import { type Refreshed, type RefreshSettings, refreshSession } from './rotation.ts'
import { type IssueTokens, TOKENS } from './tokens.ts'

const schema = {
  tags: ['sessions'],
  summary: 'Get the next pair of tokens for a refresh token',
  description:
    'Each refresh token is used once; shown again within the reuse window it answers its successor. Later it is taken ' +
    'for stolen, and the session ends.',
  security: [{ bearer: [] }],
  response: { 200: TOKENS, ...problems(...OF_TOKENS) }
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
  readonly settings: RefreshSettings
}

/** `GET` and `POST /refresh-token`, for the refresh token in the Authorization header. */
export function refreshToken(app: App, { database, issue, guards, settings }: RefreshParts): void {
  for (const method of ['GET', 'POST'] as const) {
    // A HEAD would do the work and throw the tokens away.
    app.route({
      method,
      url: '/refresh-token',
      schema: SCHEMAS[method],
      exposeHeadRoute: false,
      onRequest: guards.refresh,
      handler: async (request, reply) => {
        const refreshed = await refreshSession(database, request.refreshClaims, originOf(request), settings)
        report(request, refreshed)
        if (!('grant' in refreshed))
          throw new Problem('invalid_token', { reason: `the session is ${refreshed.verdict}` })
        return reply.send(await issue(refreshed.grant))
      }
    })
  }
}

// What looks like theft is told as a warning, with where it came from; lost commits are told as an error.
function report(request: FastifyRequest, refreshed: Refreshed): void {
  const { sid: session, sub: user, generation: shown } = request.refreshClaims
  const current = 'grant' in refreshed ? refreshed.grant.generation : refreshed.current
  const facts = { user, session, shown, current }
  const { ip, userAgent: user_agent } = originOf(request)
  const suspect = { ...facts, ip, user_agent }
  if (refreshed.verdict === 'rotate') request.log.info({ event: 'refresh', ...facts }, 'refreshed')
  if (refreshed.verdict === 'again') {
    const { elsewhere } = refreshed
    if (elsewhere)
      request.log.warn({ event: 'refresh_converged_elsewhere', ...suspect }, 'refreshed again, from elsewhere')
    else request.log.info({ event: 'refresh_converged', ...facts }, 'refreshed again')
  }
  if (refreshed.verdict === 'theft')
    request.log.warn({ event: 'refresh_reuse', ...suspect }, 'a superseded token was shown: session ended')
  if (refreshed.verdict === 'ahead')
    request.log.error({ event: 'refresh_ahead', ...facts }, 'the database has lost commits')
}
