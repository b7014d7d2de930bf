import { type Acting, transact } from '@latchkey/audit/acting'
import type { RefreshClaims } from '@latchkey/tokens/claims'
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
  acting: Acting,
  shown: RefreshClaims,
  { replacedBy: by }: { replacedBy?: string } = {}
): Promise<void> {
  const { sub: user, sid: session } = shown
  const tokenHash = await findTokenHash(acting.database, user)
  if (!tokenHash || !hasCustomKey(shown, tokenHash)) return
  const reason = by === undefined ? 'logout' : 'replaced'
  await transact(acting, async (connection, note) => {
    if (!(await markEnded(connection, { sid: session, userId: user, reason }))) return
    if (by === undefined) note('logout', { user, session })
    else note('session_replaced', { user, session, by })
  })
}
