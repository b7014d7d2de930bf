import type { App } from '@latchkey/frame/app-type'
import { problems } from '@latchkey/frame/schemas'
import { Type } from 'typebox'

const schema = {
  tags: ['discovery'],
  operationId: 'getServerMetadata',
  summary: 'Get the name of the issuer and the address of its keys (RFC 8414)',
  security: [],
  response: {
    200: Type.Object(
      {
        issuer: Type.String(),
        jwks_uri: Type.String(),
        revocations_endpoint: Type.Optional(
          Type.String({ description: 'Where resource services ask what has ended; only if the feed is on.' })
        ),
        response_types_supported: Type.Array(Type.String()),
        grant_types_supported: Type.Array(Type.String()),
        service_documentation: Type.String()
      },
      { title: 'ServerMetadata' }
    ),
    ...problems()
  }
}

/**
 * `GET /.well-known/oauth-authorization-server` (RFC 8414).
 *
 * The service has no response types and grant types. The lists are empty, because missing ones would mean the defaults
 * of RFC 8414 §2.
 */
export function metadata(
  app: App,
  { issuer, maxAge, hasFeed }: { issuer: string; maxAge: number; hasFeed: boolean }
): void {
  const base = issuer.replace(/\/$/, '')
  const body = {
    issuer,
    jwks_uri: `${base}/.well-known/jwks.json`,
    ...(hasFeed && { revocations_endpoint: `${base}/revocations` }),
    response_types_supported: [],
    grant_types_supported: [],
    service_documentation: `${base}/docs`
  }
  app.get('/.well-known/oauth-authorization-server', { schema }, (_request, reply) => {
    reply.header('cache-control', `public, max-age=${maxAge}`)
    return body
  })
}
