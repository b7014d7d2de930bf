import { createHash } from 'node:crypto'
import type { App } from '@latchkey/frame/app-type'
import { problems } from '@latchkey/frame/schemas'
import { unavailable } from '@latchkey/problems/problem'
import { type Static, Type } from 'typebox'
import type { KeyRing } from '../keys/folder.ts'

const JWK = Type.Object(
  {
    kty: Type.Literal('RSA'),
    n: Type.String(),
    e: Type.String(),
    kid: Type.String({ description: 'RFC 7638 thumbprint' }),
    use: Type.Literal('sig'),
    alg: Type.Literal('RS256')
  },
  { title: 'Key' }
)

const JWK_SET = Type.Object({ keys: Type.Array(JWK) }, { title: 'KeySet' })

const headers = { ETag: { type: 'string', description: 'Of the key set, for If-None-Match.' } }

const schema = {
  tags: ['discovery'],
  operationId: 'getKeySet',
  summary: 'Get the public keys that verify access tokens (RFC 7517)',
  security: [],
  response: {
    200: { description: 'The key set', headers, content: { 'application/jwk-set+json': { schema: JWK_SET } } },
    304: Type.Unsafe<undefined>({ type: 'null', headers, description: 'Unchanged since the ETag of If-None-Match' }),
    ...problems()
  }
}

/**
 * `GET /.well-known/jwks.json`; verifiers may keep it for `maxAge` seconds. It is 503 until the database was asked
 * once, because a key may be revoked; verifiers keep the set that they hold.
 */
export function jwks(app: App, { access, maxAge }: { access: KeyRing; maxAge: number }): void {
  const published = publisher(access)
  app.get('/.well-known/jwks.json', { schema }, async (request, reply) => {
    if (access.pending) throw unavailable('the database was not asked yet which keys are revoked')
    const { body, etag } = published()
    reply.header('cache-control', `public, max-age=${maxAge}`).header('etag', etag)
    const known = request.headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
    if (known?.includes(etag) || known?.includes('*')) {
      // Not null, which would announce four bytes that never come.
      return reply.code(304).send(undefined)
    }
    // Fastify would add a charset, which this media type does not have (RFC 7517 §8.5.2).
    return reply.type('application/jwk-set+json').serializer(JSON.stringify).send(body)
  })
}

// Makes body and ETag once per change of the ring, which then has another map.
function publisher(ring: KeyRing): () => { body: Static<typeof JWK_SET>; etag: string } {
  let made: { of: unknown; body: Static<typeof JWK_SET>; etag: string } | undefined
  return () => {
    const { accepted } = ring
    if (made?.of === accepted) return made
    const body = { keys: [...accepted.values()].map(({ jwk }) => jwk) }
    made = { of: accepted, body, etag: `"${createHash('sha256').update(JSON.stringify(body)).digest('base64url')}"` }
    return made
  }
}
