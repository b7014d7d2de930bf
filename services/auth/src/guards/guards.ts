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
}

/** What guards are made of. */
interface GuardParts {
  readonly database: Queryable
  readonly verifyToken: VerifyToken
  /** Reads the token of a request, from where it stands there. Throws `missing_token` or `invalid_request`. */
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
