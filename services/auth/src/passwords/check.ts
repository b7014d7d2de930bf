import type { Queryable } from '@latchkey/database/pool'
import { Problem } from '@latchkey/problems/problem'
import { type Buckets, countAttempt, failAttempt, forgetAttempts, takeBackAttempt } from './attempts.ts'
import type { Asker } from './hash-pool.ts'
import type { Passwords } from './hashing.ts'

/** The parts for checking a password. */
export interface CheckParts {
  readonly database: Queryable
  readonly passwords: Passwords
}

/** The stored hash, or nothing if there is no such account, or it has no password; the buckets in which the attempt counts; and who asks. */
export interface Check {
  readonly stored: string | null | undefined
  readonly buckets: Buckets
  readonly asker: Asker
}

/** The result of a check. `outdated` means right, but its hash has a lower cost than is configured. */
export type Checked = 'right' | 'outdated' | 'wrong'

/**
 * Checks a password: counts the attempt, compares, and then removes the failures or keeps this one.
 *
 * Without a stored hash it takes the same time and returns `wrong`. Throws `too_many_requests` before the comparison if
 * the attempt has to wait, and `unavailable` if no thread was free in time; such an attempt does not count.
 */
export async function checkPassword(
  { database, passwords }: CheckParts,
  { stored, buckets, asker }: Check,
  password: string
): Promise<Checked> {
  const attempt = await countAttempt(database, buckets)
  const compared = await passwords.verify(asker, password, stored ?? undefined).catch(async (error) => {
    if (error instanceof Problem && error.code === 'unavailable') await takeBackAttempt(database, attempt)
    throw error
  })
  if (!compared.matches) {
    await failAttempt(database, buckets, attempt)
    return 'wrong'
  }
  await forgetAttempts(database, attempt)
  return compared.outdated ? 'outdated' : 'right'
}
