import type { Queryable } from '@latchkey/database/pool'
import type { App } from '@latchkey/frame/app-type'
import { Problem } from '@latchkey/problems/problem'
import type { AccessClaims, RefreshClaims } from '@latchkey/tokens/claims'
import type { FastifyRequest } from 'fastify'
import type { Caller } from '../sessions/rows.ts'
import { findCaller } from '../sessions/sessions.ts'
import type { VerifyToken } from './verify.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The caller, on routes with the `access` guard. */
    caller: Caller
    /** The claims of the token, on routes with the `access` guard. */
    accessClaims: AccessClaims
    /** The claims of the token, on routes with the `refresh` guard. */
    refreshClaims: RefreshClaims
  }
}

/** The guards of this service's routes; each is an `onRequest` hook. */
export interface Guards {
  /**
   * Accepts an access token for the issuer or a name of AUDIENCE, while its session lives and its epoch is the user's.
   * Sets `request.caller` and `request.accessClaims`.
   */
  access(request: FastifyRequest): Promise<void>
  /**
   * As `access`, but only for users with the role `admin` in their row, and tokens for the issuer alone: so a resource
   * service that was taken over cannot use received tokens for administration. Others get 403.
   */
  admin(request: FastifyRequest): Promise<void>
  /** Accepts a genuine, unexpired refresh token, also of an ended session. Sets `request.refreshClaims`. */
  refresh(request: FastifyRequest): Promise<void>
  /** As `refresh`, but also accepts an expired token. */
  genuineRefresh(request: FastifyRequest): Promise<void>
}

/** What the guards need. */
interface GuardParts {
  readonly database: Queryable
  readonly verifyToken: VerifyToken
  /** Reads the token of a request. Throws `missing_token` or `invalid_request`. */
  readonly readToken: (request: FastifyRequest) => string
  readonly issuer: string
}

/** Makes the guards. */
export function createGuards(app: App, { database, verifyToken, readToken, issuer }: GuardParts): Guards {
  app.decorateRequest('caller').decorateRequest('accessClaims').decorateRequest('refreshClaims')

  async function access(request: FastifyRequest): Promise<void> {
    const claims = await verifyToken('access', { request, token: readToken(request) })
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
      if (request.accessClaims.aud !== issuer) {
        const detail = `Administration takes only access tokens that were asked for with the resource ${issuer}, at /login or /refresh-token.`
        throw new Problem('insufficient_scope', { detail })
      }
    },
    refresh: async (request) => {
      request.refreshClaims = await verifyToken('refresh', { request, token: readToken(request) })
    },
    genuineRefresh: async (request) => {
      const shown = { request, token: readToken(request) }
      request.refreshClaims = await verifyToken('refresh', shown, Number.POSITIVE_INFINITY)
    }
  }
}
