import { count, emit } from '@latchkey/events/emit'
import type { Client } from '@latchkey/frame/client'
import { Problem } from '@latchkey/problems/problem'
import type { FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import { recordShown } from '../audit/shown.ts'
import type { Parts } from '../parts/parts.ts'
import type { Resource } from '../sessions/audience.ts'
import { type Held, type Refreshed, refreshSession, shownFields } from '../sessions/rotation.ts'
import type { TOKENS } from '../sessions/tokens.ts'

/** The parts that a refresh needs. */
export type NextTokensParts = Pick<Parts, 'actingOf' | 'refusals' | 'tokens' | 'refresh'>

/**
 * Makes the refresh of `/refresh-token` and `/refresh`: the next two tokens for `request.refreshClaims`.
 *
 * `held` is a good access token that the client still has. Throws `renewal_too_early` if the client needs no new one.
 */
export function nextTokens({ actingOf, refusals, tokens, refresh: settings }: NextTokensParts) {
  return async (
    request: FastifyRequest,
    { resource, held }: { resource?: Resource; held?: Held | undefined }
  ): Promise<Static<typeof TOKENS>> => {
    tokens.refuseWithoutKey()
    const acting = actingOf(request)
    acting.account = request.refreshClaims.sub
    const asked = tokens.now()
    const refreshed = await refreshSession(acting, { shown: request.refreshClaims, held, from: acting }, settings)
    report(request, refreshed, acting)
    recordShown({ acting, refusals }, request, refreshed)
    if (refreshed.verdict === 'early') throw new Problem('renewal_too_early', { retryAfter: refreshed.wait })
    if (!('grant' in refreshed)) throw new Problem('invalid_token', { reason: `refresh: ${refreshed.verdict}` })
    return tokens.issue({ grant: refreshed.grant, asked }, resource)
  }
}

// The end of a stolen session, and a session that was moved on, are reported with the change.
function report({ log, refreshClaims }: FastifyRequest, refreshed: Refreshed, from: Client): void {
  if (refreshed.verdict === 'ahead') {
    const message = 'the database has lost commits: refused'
    emit(log, 'refresh_ahead', shownFields(refreshClaims, from, refreshed.current), message)
  }
  if (refreshed.verdict === 'dead') count('refresh_dead', {})
  if (!('grant' in refreshed) || refreshed.verdict === 'forward') return
  const { ip, user_agent, ...fields } = shownFields(refreshClaims, from, refreshed.grant.generation)
  if (refreshed.verdict !== 'again') emit(log, 'refresh', fields)
  else if (refreshed.elsewhere) emit(log, 'refresh_converged_elsewhere', { ...fields, ip, user_agent })
  else emit(log, 'refresh_converged', fields)
}
