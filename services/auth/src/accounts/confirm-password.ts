import { Problem } from '@latchkey/problems/problem'
import { deviceOf, strangersOf } from '../passwords/attempts.ts'
import { type CheckParts, checkPassword } from '../passwords/check.ts'
import type { Asker } from '../passwords/hash-pool.ts'
import type { Caller } from '../sessions/rows.ts'

/**
 * Checks the password of a caller, before a change for which an access token is not enough, because it may be stolen.
 * Wrong passwords count in the bucket of the caller's device.
 *
 * Throws `invalid_credentials`, and the errors of {@link checkPassword}.
 */
export async function confirmPassword(
  parts: CheckParts,
  { caller, asker }: { caller: Caller; asker: Asker },
  password: string
): Promise<void> {
  const buckets = { strangers: strangersOf(caller.email), device: deviceOf(caller.id, caller.sid) }
  const checked = await checkPassword(parts, { stored: caller.password_hash, buckets, asker }, password)
  if (checked === 'wrong') throw new Problem('invalid_credentials', { detail: 'The current password is wrong.' })
}
