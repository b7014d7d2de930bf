import type { App } from '@latchkey/frame/app-type'
import { ACCESS_TOKEN, problems, TOKEN_PROBLEMS } from '@latchkey/frame/schemas'
import { Problem } from '@latchkey/problems/problem'
import type { AccessClaims } from '@latchkey/verifier'
import { Type } from 'typebox'

const header = (description: string) => ({ type: 'string', description })

const schema = {
  tags: ['gateway'],
  operationId: 'checkAccess',
  summary: 'Let a gateway ask whether to pass a request on, and for whom',
  description:
    'For the forward authentication of nginx, Caddy, Traefik and others: they send the Authorization header of a request ' +
    'here first, and pass the request on after a 204. Every 204 has all four headers, even if they are empty.',
  security: ACCESS_TOKEN,
  querystring: Type.Object(
    { role: Type.Optional(Type.String({ minLength: 1, maxLength: 32, description: 'a role of 1 to 32 characters' })) },
    { additionalProperties: false }
  ),
  response: {
    204: Type.Null({
      description: 'The token is good, and its user has the role that was asked for.',
      headers: {
        'X-User-Id': header('The id of the user (`sub`).'),
        'X-User-Name': header('The display name, percent-encoded UTF-8.'),
        'X-User-Roles': header('The roles with commas between them, each percent-encoded.'),
        'X-Session-Id': header('The id of the session (`sid`).')
      }
    }),
    ...problems(...TOKEN_PROBLEMS, 'insufficient_scope')
  }
}

/** `GET /gate`: forward authentication. With `?role=`, users without that role get 403 `insufficient_scope`. */
export function gate(app: App): void {
  app.get('/gate', { schema, onRequest: app.requireAccessToken }, ({ user, query }, reply) => {
    if (query.role !== undefined && !user.roles.includes(query.role)) throw new Problem('insufficient_scope')
    reply.code(204).headers(identityOf(user)).send(null)
  })
}

// Percent-encoded, because headers cannot carry all letters of names, and a comma in a role would make it two.
function identityOf({ sub, preferred_username, roles, sid }: AccessClaims): Record<string, string> {
  return {
    'x-user-id': sub,
    'x-user-name': encode(preferred_username),
    'x-user-roles': roles.map(encode).join(','),
    'x-session-id': sid
  }
}

// Half of a surrogate pair has no UTF-8, but JSON can carry it.
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}
