import type { App } from '@latchkey/frame/app-type'
import { BODY_PROBLEMS, optionalBody, problems, TOKEN_PROBLEMS } from '@latchkey/frame/schemas'
import { Problem } from '@latchkey/problems/problem'
import { Type } from 'typebox'
import type { Parts } from '../parts/parts.ts'
import type { Resource, ResourceParameter } from '../sessions/audience.ts'
import { TOKENS } from '../sessions/tokens.ts'
import { type NextTokensParts, nextTokens } from './next-tokens.ts'

const schemaOf = (resource: ResourceParameter) => ({
  tags: ['sessions'],
  operationId: 'refreshTokenByGet',
  summary: 'Get the next pair of tokens for a refresh token',
  description:
    'A refresh token is used once. Within REFRESH_REUSE_WINDOW a repeat gets the current refresh token. Later it counts ' +
    'as theft, and the session ends. With REFRESH_TOKEN_ROTATION=off a session has one token, and no theft is noticed.',
  security: [{ refreshToken: [] }],
  querystring: Type.Object({ resource }, { additionalProperties: false }),
  response: { 200: TOKENS, ...problems(...TOKEN_PROBLEMS) }
})

/** POST also accepts the parameter in a body; the body may be missing. */
const postSchemaOf = (resource: ResourceParameter) => ({
  ...schemaOf(resource),
  operationId: 'refreshToken',
  body: optionalBody(Type.Object({ resource }, { additionalProperties: false })),
  response: { 200: TOKENS, ...problems(...TOKEN_PROBLEMS, ...BODY_PROBLEMS) }
})

type RefreshTokenParts = NextTokensParts & Pick<Parts, 'guards' | 'resource'>

/** `GET` and `POST /refresh-token`, for the refresh token in the Authorization header. */
export function refreshToken(app: App, parts: RefreshTokenParts): void {
  const parameter = parts.resource
  const onRequest = parts.guards.refresh
  const refresh = nextTokens(parts)
  // A HEAD request would refresh the session, and the new tokens would be lost.
  app.get('/refresh-token', { schema: schemaOf(parameter), exposeHeadRoute: false, onRequest }, (request) =>
    refresh(request, { resource: request.query.resource })
  )
  app.post('/refresh-token', { schema: postSchemaOf(parameter), onRequest }, (request) =>
    refresh(request, { resource: once(request.query.resource, request.body?.resource) })
  )
}

// With two values, even equal ones, nobody knows which one was meant (RFC 6749 §3.1: no parameter more than once).
function once(inQuery: Resource, inBody: Resource): Resource {
  if (inQuery === undefined || inBody === undefined) return inQuery ?? inBody
  const message = 'must be given once: in the query or in the body'
  throw new Problem('invalid_input', { errors: [{ field: 'resource', message }] })
}
