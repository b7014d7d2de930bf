import { Problem } from '@latchkey/tokens/errors'
import type { Queryable } from '../database.ts'
import { asAttempt, deviceOf, forgetAttempts, strangersOf } from '../passwords/attempts.ts'
import type { Caller } from '../sessions/sessions.ts'
import type { Asker } from '../passwords/hash-pool.ts'
import type { Passwords } from '../passwords/hashing.ts'

/**
 * Has a caller show the password again, before something that a stolen access token alone must not do.
 *
 * Wrong ones count as those of a login do, in the bucket of the caller's device. Throws `invalid_credentials`, or
 * `too_many_requests` without a look at the password.
 */
export async function confirmPassword(
  { database, passwords }: { database: Queryable; passwords: Passwords },
  { caller, asker }: { caller: Caller; asker: Asker },
  password: string
): Promise<void> {
  const buckets = { strangers: strangersOf(caller.email), device: deviceOf(caller.id, caller.sid) }
  await asAttempt(database, buckets, async (bucket) => {
    const { matches } = await passwords.verify(asker, password, caller.password_hash)
    if (!matches) throw new Problem('invalid_credentials', { detail: 'The current password is wrong.' })
    await forgetAttempts(database, bucket)
  })
}
