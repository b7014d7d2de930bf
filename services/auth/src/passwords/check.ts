import type { Queryable } from '@latchkey/database/pool'
import { Problem } from '@latchkey/problems/problem'
import { type Buckets, countAttempt, failAttempt, forgetAttempts, takeBackAttempt } from './attempts.ts'
import type { Asker } from './hash-pool.ts'
import type { Passwords } from './hashing.ts'

/** What checking a password needs. */
export interface CheckParts {
  readonly database: Queryable
  readonly passwords: Passwords
}

/** What a password is compared with: the stored hash, or nothing where there is no such account, and where it is counted. */
export interface Check {
  readonly stored: string | undefined
  readonly buckets: Buckets
  readonly asker: Asker
}

/** What came of a check; `outdated` is right, and its hash has a lower cost than is configured. */
export type Checked = 'right' | 'outdated' | 'wrong'

/**
 * Checks a password: counts the attempt, compares, and forgets the failures before it or keeps this one.
 *
 * Without a stored hash it takes the same time and says `wrong`. Throws `too_many_requests` without a look at the password
 * when the attempt has to wait, and `unavailable` when no thread was free in time: then the attempt does not count.
 */
export async function checkPassword(
  { database, passwords }: CheckParts,
  { stored, buckets, asker }: Check,
  password: string
): Promise<Checked> {
  const attempt = await countAttempt(database, buckets)
  const compared = await passwords.verify(asker, password, stored).catch(async (error) => {
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
