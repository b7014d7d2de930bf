import type { Queryable } from '@latchkey/database/pool'
import { emit } from '@latchkey/events/emit'
import type { RefreshClaims } from '@latchkey/tokens/claims'
import type { FastifyBaseLogger } from 'fastify'
import { hasCustomKey } from '../sessions/custom-key.ts'
import { markEnded } from '../sessions/sessions.ts'
import { findTokenHash } from '../users/find.ts'

/**
 * Ends the session of a genuine refresh token: for a logout, or because the browser has signed in again.
 * `replacedBy` is the id of the new session.
 *
 * A token from before a password change ends nothing, because its session has ended already.
 */
export async function endShown(
  { database, log }: { database: Queryable; log: FastifyBaseLogger },
  shown: RefreshClaims,
  { replacedBy: by }: { replacedBy?: string } = {}
): Promise<void> {
  const { sub: user, sid: session } = shown
  const tokenHash = await findTokenHash(database, user)
  if (!tokenHash || !hasCustomKey(shown, tokenHash)) return
  const reason = by === undefined ? 'logout' : 'replaced'
  if (!(await markEnded(database, { sid: session, userId: user, reason }))) return
  if (by === undefined) emit(log, 'logout', { user, session })
  else emit(log, 'session_replaced', { user, session, by })
}
