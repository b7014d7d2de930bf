import jwt, { type TokenOrHeader } from '@fastify/jwt'
import type { App } from '@latchkey/service/app'
import { readBearer } from '@latchkey/tokens/bearer'
import type { AccessClaims, Claims, Kind, RefreshClaims } from '@latchkey/tokens/claims'
import { decodeUnverified } from '@latchkey/tokens/compact'
import { Problem, unavailable } from '@latchkey/tokens/errors'
import { checkClaims, checkHeader } from '@latchkey/tokens/rules'
import type { FastifyRequest } from 'fastify'
import type { Queryable } from '../database.ts'
import type { KeyRing, Keys } from '../keys/folder.ts'
import { type Caller, findCaller } from '../sessions/sessions.ts'

declare module '@fastify/jwt' {
  interface FastifyJWT {
    namespaces: Kind
  }
}

declare module 'fastify' {
  interface FastifyRequest {
    accessJwtVerify(): Promise<unknown>
    refreshJwtVerify(): Promise<unknown>
    /** Who calls, on routes with the `access` guard. */
    caller: Caller
    /** What the shown token says, on routes with the `access` guard. */
    accessClaims: AccessClaims
    /** What the shown token says, on routes with the `refresh` guard. */
    refreshClaims: RefreshClaims
  }
}

/** The guards of the service's own routes, each an `onRequest` hook. */
export interface Guards {
  /**
   * Lets an access token through, whether it is for the issuer or for a name of AUDIENCE, while its session lives and its
   * epoch is the user's; sets `request.caller` and `request.accessClaims`.
   */
  access(request: FastifyRequest): Promise<void>
  /**
   * As `access`, for users with the role `admin` in their row, whatever the token says, and for tokens that are for the
   * issuer alone: a resource service that is taken over administers nothing with those it is shown. Others get 403.
   */
  admin(request: FastifyRequest): Promise<void>
  /** Lets a genuine, unexpired refresh token through, whatever has become of its session; sets `request.refreshClaims`. */
  refresh(request: FastifyRequest): Promise<void>
  /** As `refresh`, and an expired token passes as well. */
  genuineRefresh(request: FastifyRequest): Promise<void>
  /** What an earlier refresh token says, expired at most 90 days ago; nothing without a genuine one. No hook: refuses nobody. */
  knownDevice(request: FastifyRequest): Promise<RefreshClaims | undefined>
}

/** What a guard holds tokens against; `leeway` in seconds. */
export interface GuardSettings {
  readonly issuer: string
  readonly audience: readonly string[]
  readonly leeway: number
  /** The present, in milliseconds since 1970. */
  readonly now: () => number
}

/** How long after its end a refresh token still tells that a device is known, in seconds. */
const DEVICE_MEMORY = 90 * 86_400

/** Registers @fastify/jwt once a kind of token, and makes the guards that use it. */
export async function createGuards(
  app: App,
  { keys, database, settings }: { keys: Keys; database: Queryable; settings: GuardSettings }
): Promise<Guards> {
  const { issuer, audience, leeway, now } = settings
  const audiences = { access: [issuer, ...audience], refresh: [issuer] }
  app.decorateRequest('caller').decorateRequest('accessClaims').decorateRequest('refreshClaims')
  await registerEngine(app, 'access', keys.access)
  await registerEngine(app, 'refresh', keys.refresh)

  async function verify<K extends Kind>(kind: K, request: FastifyRequest, grace = 0): Promise<Claims<K>> {
    const { header, claims } = decodeUnverified(readBearer(request.raw.rawHeaders))
    checkHeader(kind, header)
    await request[`${kind}JwtVerify`]().catch(refuse)
    return checkClaims(kind, claims, { issuer, audience: audiences[kind], leeway, grace, now: now() / 1000 })
  }

  async function access(request: FastifyRequest): Promise<void> {
    const claims = await verify('access', request)
    const caller = await findCaller(database, claims)
    if (!caller) throw new Problem('invalid_token', { reason: 'session ended, epoch behind, or user not enabled' })
    request.caller = caller
    request.accessClaims = claims
  }

  return {
    access,
    admin: async (request) => {
      await access(request)
      if (!request.caller.roles.includes('admin')) throw new Problem('insufficient_scope')
      if (request.accessClaims.aud !== issuer)
        throw new Problem('insufficient_scope', { detail: forIssuerAlone(issuer) })
    },
    refresh: async (request) => {
      request.refreshClaims = await verify('refresh', request)
    },
    genuineRefresh: async (request) => {
      request.refreshClaims = await verify('refresh', request, Number.POSITIVE_INFINITY)
    },
    knownDevice: (request) => verify('refresh', request, DEVICE_MEMORY).catch(nobody)
  }
}

function forIssuerAlone(issuer: string): string {
  return `Administration takes only access tokens that were asked for with the resource ${issuer}, at /login or /refresh-token.`
}

// The engine checks the signature alone: times and claims are judged by the rules that all services share.
async function registerEngine(app: App, kind: Kind, ring: KeyRing): Promise<void> {
  await app.register(jwt, {
    namespace: kind,
    decode: { complete: true },
    secret: { public: async (_request: FastifyRequest, token: TokenOrHeader) => publicPem(ring, token) },
    verify: {
      algorithms: ['RS256'],
      ignoreExpiration: true,
      ignoreNotBefore: true,
      cache: false,
      extractToken: (request) => readBearer(request.raw.rawHeaders)
    }
  })
}

function nobody(error: unknown): undefined {
  if (!(error instanceof Problem) || error.code === 'unavailable') throw error
}

function publicPem(ring: KeyRing, token: TokenOrHeader): string {
  if (ring.pending) throw unavailable('the database was not asked yet which keys are revoked')
  const key = 'header' in token ? ring.accepted.get(token.header.kid) : undefined
  if (!key) throw new Problem('invalid_token', { reason: 'kid is none of our keys' })
  return key.publicPem
}

// FAST_JWT_* and FST_JWT_* are the codes of the engine and of the plugin; some come without a status, which would be a 500.
function refuse(error: Error & { code?: string }): never {
  if (!/^(FAST|FST)_JWT_/.test(error.code ?? '')) throw error
  throw new Problem('invalid_token', { reason: `signature: ${error.code}`, cause: error })
}
