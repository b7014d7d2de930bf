import { emit } from '@latchkey/events/emit'
import { Problem } from '@latchkey/problems/problem'
import type { FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import { clientOf } from '../guards/client.ts'
import type { Parts } from '../parts/parts.ts'
import type { Resource } from '../sessions/audience.ts'
import { type Held, type Refreshed, refreshSession } from '../sessions/rotation.ts'
import type { Client } from '../sessions/rows.ts'
import type { TOKENS } from '../sessions/tokens.ts'

/** The parts that a refresh needs. */
export type NextTokensParts = Pick<Parts, 'database' | 'tokens' | 'refresh'>

/**
 * Makes the refresh of `/refresh-token` and `/refresh`: the next two tokens for `request.refreshClaims`.
 *
 * `held` is a good access token that the client still has. Throws `renewal_too_early` if the client needs no new one.
 */
export function nextTokens({ database, tokens, refresh: settings }: NextTokensParts) {
  return async (
    request: FastifyRequest,
    { resource, held }: { resource?: Resource; held?: Held | undefined }
  ): Promise<Static<typeof TOKENS>> => {
    tokens.refuseWithoutKey()
    const from = clientOf(request)
    const refreshed = await refreshSession(database, { shown: request.refreshClaims, held, from }, settings)
    report(request, refreshed, from)
    if (refreshed.verdict === 'early') throw new Problem('renewal_too_early', { retryAfter: refreshed.wait })
    if (!('grant' in refreshed)) throw new Problem('invalid_token', { reason: `refresh: ${refreshed.verdict}` })
    return tokens.issue(refreshed.grant, resource)
  }
}

function report({ log, refreshClaims }: FastifyRequest, refreshed: Refreshed, { ip, userAgent }: Client): void {
  if (refreshed.verdict === 'dead' || refreshed.verdict === 'early') return
  const { sid: session, sub: user, generation: shown } = refreshClaims
  const current = 'grant' in refreshed ? refreshed.grant.generation : refreshed.current
  const fields = { user, session, shown, current }
  const from = { ip, user_agent: userAgent }
  switch (refreshed.verdict) {
    case 'again':
      if (refreshed.elsewhere) emit(log, 'refresh_converged_elsewhere', { ...fields, ...from })
      else emit(log, 'refresh_converged', fields)
      break
    case 'theft':
      emit(log, 'refresh_reuse', { ...fields, ...from })
      break
    case 'forward':
    case 'ahead': {
      const done = refreshed.verdict === 'ahead' ? 'refused' : 'the session was moved on'
      emit(log, 'refresh_ahead', { ...fields, ...from }, `the database has lost commits: ${done}`)
      break
    }
    default:
      emit(log, 'refresh', fields)
  }
}
