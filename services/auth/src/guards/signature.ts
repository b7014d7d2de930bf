import jwt, { type TokenOrHeader } from '@fastify/jwt'
import type { App } from '@latchkey/frame/app-type'
import { Problem, unavailable } from '@latchkey/problems/problem'
import type { Kind } from '@latchkey/tokens/claims'
import type { FastifyRequest } from 'fastify'
import type { KeyRing, Keys } from '../keys/folder.ts'

declare module '@fastify/jwt' {
  interface FastifyJWT {
    namespaces: Kind
  }
}

declare module 'fastify' {
  interface FastifyRequest {
    accessJwtVerify(): Promise<unknown>
    refreshJwtVerify(): Promise<unknown>
    /** The token whose signature @fastify/jwt checks. */
    shownToken: string
  }
}

/**
 * Checks the signature of a token of one kind, but not its header and claims. Throws `invalid_token` or `unavailable`.
 */
type CheckSignature = (kind: Kind, request: FastifyRequest, token: string) => Promise<void>

/** Registers @fastify/jwt once per kind of token, with the keys in force. */
export async function checkSignatures(app: App, keys: Keys): Promise<CheckSignature> {
  app.decorateRequest('shownToken', '')
  await register(app, 'access', keys.access)
  await register(app, 'refresh', keys.refresh)
  return async (kind, request, token) => {
    request.shownToken = token
    await request[`${kind}JwtVerify`]().catch(refuse)
  }
}

// The plugin only checks the signature; the shared rules check times and claims.
async function register(app: App, kind: Kind, ring: KeyRing): Promise<void> {
  await app.register(jwt, {
    namespace: kind,
    decode: { complete: true },
    secret: { public: async (_request: FastifyRequest, token: TokenOrHeader) => publicPem(ring, token) },
    verify: {
      algorithms: ['RS256'],
      ignoreExpiration: true,
      ignoreNotBefore: true,
      cache: false,
      extractToken: (request) => request.shownToken
    }
  })
}

function publicPem(ring: KeyRing, token: TokenOrHeader): string {
  if (ring.pending) throw unavailable('the database was not asked yet which keys are revoked')
  const key = 'header' in token ? ring.accepted.get(token.header.kid) : undefined
  if (!key) throw new Problem('invalid_token', { reason: 'kid is none of our keys' })
  return key.publicPem
}

// FAST_JWT_* and FST_JWT_* are codes of the library and the plugin; without a status they would become a 500.
function refuse(error: Error & { code?: string }): never {
  if (!/^(FAST|FST)_JWT_/.test(error.code ?? '')) throw error
  throw new Problem('invalid_token', { reason: `signature: ${error.code}`, cause: error })
}
