import { emit } from '@latchkey/events/emit'
import type { App } from '@latchkey/frame/app-type'
import { BODY_PROBLEMS, optionalBody, problems, TOKEN_PROBLEMS } from '@latchkey/frame/schemas'
import { Problem } from '@latchkey/problems/problem'
import type { FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { clientOf } from '../guards/client.ts'
import type { Parts } from '../parts/parts.ts'
import type { Resource, ResourceParameter } from '../sessions/audience.ts'
import { type Refreshed, refreshSession } from '../sessions/rotation.ts'
import type { Client } from '../sessions/rows.ts'
import { TOKENS } from '../sessions/tokens.ts'

const schemaOf = (resource: ResourceParameter) => ({
  tags: ['sessions'],
  operationId: 'refreshTokenByGet',
  summary: 'Get the next pair of tokens for a refresh token',
  description:
    'A refresh token is used once; shown again within REFRESH_REUSE_WINDOW it answers its successor, later it is taken ' +
    'for stolen and the session ends. With REFRESH_TOKEN_ROTATION=off a session has one token, and no theft is noticed.',
  security: [{ bearer: [] }],
  querystring: Type.Object({ resource }, { additionalProperties: false }),
  response: { 200: TOKENS, ...problems(...TOKEN_PROBLEMS) }
})

/** POST also takes the parameter in a body, which it does not need. */
const postSchemaOf = (resource: ResourceParameter) => ({
  ...schemaOf(resource),
  operationId: 'refreshToken',
  body: optionalBody(Type.Object({ resource }, { additionalProperties: false })),
  response: { 200: TOKENS, ...problems(...TOKEN_PROBLEMS, ...BODY_PROBLEMS) }
})

type RefreshTokenParts = Pick<Parts, 'database' | 'tokens' | 'guards' | 'refresh' | 'resource'>

/** `GET` and `POST /refresh-token`, for the refresh token in the Authorization header. */
export function refreshToken(
  app: App,
  { database, tokens, guards, refresh: settings, resource: parameter }: RefreshTokenParts
): void {
  const onRequest = guards.refresh
  // A HEAD would refresh and drop the tokens.
  app.get('/refresh-token', { schema: schemaOf(parameter), exposeHeadRoute: false, onRequest }, (request) =>
    refresh(request, request.query.resource)
  )
  app.post('/refresh-token', { schema: postSchemaOf(parameter), onRequest }, (request) =>
    refresh(request, once(request.query.resource, request.body?.resource))
  )

  async function refresh(request: FastifyRequest, resource: Resource): Promise<Static<typeof TOKENS>> {
    tokens.refuseWithoutKey()
    const from = clientOf(request)
    const refreshed = await refreshSession(database, request.refreshClaims, from, settings)
    report(request, refreshed, from)
    if (!('grant' in refreshed)) throw new Problem('invalid_token', { reason: `refresh: ${refreshed.verdict}` })
    return tokens.issue(refreshed.grant, resource)
  }
}

// With two, even equal ones, it is unknown which one was meant (RFC 6749 §3.1: no parameter more than once).
function once(inQuery: Resource, inBody: Resource): Resource {
  if (inQuery === undefined || inBody === undefined) return inQuery ?? inBody
  const message = 'must be given once: in the query or in the body'
  throw new Problem('invalid_input', { errors: [{ field: 'resource', message }] })
}

function report({ log, refreshClaims }: FastifyRequest, refreshed: Refreshed, { ip, userAgent }: Client): void {
  if (refreshed.verdict === 'dead') return
  const { sid: session, sub: user, generation: shown } = refreshClaims
  const current = 'grant' in refreshed ? refreshed.grant.generation : refreshed.current
  const fields = { user, session, shown, current }
  const from = { ip, user_agent: userAgent }
  switch (refreshed.verdict) {
    case 'again':
      if (refreshed.elsewhere) emit(log, 'refresh_converged_elsewhere', { ...fields, ...from })
      else emit(log, 'refresh_converged', fields)
      break
    case 'theft':
      emit(log, 'refresh_reuse', { ...fields, ...from })
      break
    case 'forward':
    case 'ahead': {
      const done = refreshed.verdict === 'ahead' ? 'refused' : 'the session was moved on'
      emit(log, 'refresh_ahead', { ...fields, ...from }, `the database has lost commits: ${done}`)
      break
    }
    default:
      emit(log, 'refresh', fields)
  }
}
