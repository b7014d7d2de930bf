import type { Acting } from '@latchkey/audit/acting'
import type { Refusals } from '@latchkey/audit/refusals'
import type { FastifyRequest } from 'fastify'
import type { Refreshed } from '../sessions/rotation.ts'
import { sourceOf } from './refusals.ts'

/**
 * Records a refresh token that was shown in a strange way, but changed nothing: again from elsewhere, or ahead of the
 * database. Whoever has such a token can show it all the time, so the bounds of refusals hold for these records too.
 */
export function recordShown(
  { acting, refusals }: { acting: Acting; refusals: Refusals },
  request: FastifyRequest,
  refreshed: Refreshed
): void {
  const { sub, sid, generation } = request.refreshClaims
  const add = (event: 'refresh_ahead' | 'refresh_converged_elsewhere', current: number, code?: 'invalid_token') =>
    refusals.add({
      event,
      outcome: code ? 'refused' : 'done',
      ...(code && { code }),
      detail: { shown: generation, current },
      target: { kind: 'user', id: sub },
      account: sub,
      session: sid,
      ...sourceOf(request, acting)
    })
  if (refreshed.verdict === 'ahead') {
    // The refusal of the request is this record.
    acting.isDone = true
    add('refresh_ahead', refreshed.current, 'invalid_token')
  } else if (refreshed.verdict === 'again' && refreshed.elsewhere) {
    add('refresh_converged_elsewhere', refreshed.grant.generation)
  }
}
