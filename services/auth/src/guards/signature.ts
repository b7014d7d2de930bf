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
    /** The token whose signature @fastify/jwt is to check. */
    shownToken: string
  }
}

/** Checks the signature of a token of a kind; throws `invalid_token`, or `unavailable`. Header and claims are not judged. */
type CheckSignature = (kind: Kind, request: FastifyRequest, token: string) => Promise<void>

/** Registers @fastify/jwt once a kind of token, with the keys in force. */
export async function checkSignatures(app: App, keys: Keys): Promise<CheckSignature> {
  app.decorateRequest('shownToken', '')
  await register(app, 'access', keys.access)
  await register(app, 'refresh', keys.refresh)
  return async (kind, request, token) => {
    request.shownToken = token
    await request[`${kind}JwtVerify`]().catch(refuse)
  }
}

// The plugin checks the signature alone: times and claims are judged by the rules that all services share.
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

// FAST_JWT_* and FST_JWT_* are the codes of the library and of the plugin; some come without a status, which would be a 500.
function refuse(error: Error & { code?: string }): never {
  if (!/^(FAST|FST)_JWT_/.test(error.code ?? '')) throw error
  throw new Problem('invalid_token', { reason: `signature: ${error.code}`, cause: error })
}
