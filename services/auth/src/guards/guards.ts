import type { Queryable } from '@latchkey/database/pool'
import type { App } from '@latchkey/frame/app-type'
import { Problem } from '@latchkey/problems/problem'
import { findBearer, hasAuthorization, readBearer } from '@latchkey/tokens/bearer'
import type { AccessClaims, RefreshClaims } from '@latchkey/tokens/claims'
import { type OwnSites, requireOwnSite } from '@latchkey/tokens/cross-site'
import type { FastifyRequest } from 'fastify'
import type { Caller } from '../sessions/rows.ts'
import { findCaller } from '../sessions/sessions.ts'
import type { FindGenuine } from './genuine.ts'
import type { Cookies } from './token-cookies.ts'
import type { VerifyToken } from './verify.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The caller, on routes with the `account` or `admin` guard. */
    caller: Caller
    /** The claims of the token, on routes with the `account` or `admin` guard. */
    accessClaims: AccessClaims
    /** The claims of the token, on routes with the `refresh` or `refreshCookie` guard. */
    refreshClaims: RefreshClaims
    /** The claims of the token whose session is to end, on routes with the `leaving` guard. */
    leavingClaims: RefreshClaims | undefined
    /** Whether the request goes by cookie, on routes with the `account` or `leaving` guard. */
    byCookie: boolean
  }
}

/** The grace with which an expired token always passes. */
const EVER = Number.POSITIVE_INFINITY

type Guard = (request: FastifyRequest) => Promise<void>

/** The guards of this service's routes; each is an `onRequest` hook. */
export interface Guards {
  /**
   * Accepts an access token for the issuer or a name of AUDIENCE, while its session lives and its epoch is the user's. A
   * request without an Authorization header has to have the access cookie; from a page of another site it gets 403
   * `cross_site`. Sets `request.caller`, `request.accessClaims` and `request.byCookie`.
   */
  readonly account: Guard
  /**
   * Like `account`, but never by cookie, only for users with the role `admin` in their row, and only for tokens whose one
   * audience is the issuer. So an attacker in a resource service cannot use its received tokens for administration.
   * Others get 403.
   */
  readonly admin: Guard
  /** Accepts a genuine, unexpired refresh token, also of an ended session. Sets `request.refreshClaims`. */
  readonly refresh: Guard
  /** Like `refresh`, but only with the refresh cookie. Requests of other sites get 403 `cross_site`. */
  readonly refreshCookie: Guard
  /**
   * Accepts a genuine refresh token, also an expired one. Without an Authorization header it reads the refresh cookie,
   * and also accepts a request without a genuine one. Requests of other sites then get 403 `cross_site`. Sets
   * `request.leavingClaims` and `request.byCookie`.
   */
  readonly leaving: Guard
  /** Refuses requests of other sites with 403 `cross_site`, unless they have a bearer token: browsers add none. */
  readonly ownSite: Guard
}

/** What the guards need. */
interface GuardParts {
  readonly database: Queryable
  readonly verifyToken: VerifyToken
  readonly findGenuine: FindGenuine
  readonly cookies: Cookies
  readonly sites: OwnSites
}

/** Makes the guards. */
export function createGuards(app: App, parts: GuardParts): Guards {
  const { database, verifyToken, findGenuine, cookies, sites } = parts
  app.decorateRequest('caller').decorateRequest('accessClaims').decorateRequest('refreshClaims')
  app.decorateRequest('leavingClaims', undefined).decorateRequest('byCookie', false)

  const byHeader = ({ raw }: FastifyRequest) => readBearer(raw.rawHeaders)
  const byHeaderOrCookie = (request: FastifyRequest) =>
    goesByCookie(request) ? cookies.readAccess(request) : byHeader(request)

  // Checks the site before it reads any cookie.
  function goesByCookie(request: FastifyRequest): boolean {
    if (hasAuthorization(request.raw.rawHeaders)) return false
    requireOwnSite(request.raw, sites)
    request.byCookie = true
    return true
  }

  const access =
    (readToken: (request: FastifyRequest) => string): Guard =>
    async (request) => {
      const claims = await verifyToken('access', { request, token: readToken(request) })
      // Also where nobody is let in: a refusal is recorded for the user of the token.
      request.accessClaims = claims
      const caller = await findCaller(database, claims)
      if (!caller) throw new Problem('invalid_token', { reason: 'session ended, epoch behind, or user not enabled' })
      request.caller = caller
    }

  const refresh =
    (readToken: (request: FastifyRequest) => string): Guard =>
    async (request) => {
      request.refreshClaims = await verifyToken('refresh', { request, token: readToken(request) })
    }

  const ownSite: Guard = async ({ raw }) => {
    if (findBearer(raw.rawHeaders) === undefined) requireOwnSite(raw, sites)
  }

  return {
    account: access(byHeaderOrCookie),
    admin: async (request) => {
      await access(byHeader)(request)
      requireAdmin(request, sites.issuer)
    },
    refresh: refresh(byHeader),
    refreshCookie: async (request) => {
      await ownSite(request)
      await refresh(cookies.readRefresh)(request)
    },
    leaving: async (request) => {
      if (goesByCookie(request)) {
        // Not in the search below, which would ignore the error of two cookies.
        const token = cookies.findRefresh(request)
        request.leavingClaims = await findGenuine('refresh', { request, find: () => token }, EVER)
      } else {
        request.leavingClaims = await verifyToken('refresh', { request, token: byHeader(request) }, EVER)
      }
    },
    ownSite
  }
}

function requireAdmin({ caller, accessClaims }: FastifyRequest, issuer: string): void {
  if (!caller.roles.includes('admin')) throw new Problem('insufficient_scope')
  if (accessClaims.aud !== issuer) {
    const detail = `Administration takes only access tokens that were asked for with the resource ${issuer}, at /login or /refresh-token.`
    throw new Problem('insufficient_scope', { detail })
  }
}
