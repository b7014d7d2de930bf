import { SHARE } from '@latchkey/database/time-limits'
import { present } from './clock.ts'
import { costOf } from './foreign-hash.ts'
import { type Asker, busy, type HashPool } from './hash-pool.ts'
import type { HighestCost } from './highest-cost.ts'
import { fitsBcrypt, normalizePassword } from './policy.ts'
import type { HashResult, HashTask } from './worker.ts'

/** Hashes and compares passwords, off the main thread. All methods throw `unavailable` (503) if too many wait. */
export interface Passwords {
  /** Throws if too many wait for this one to be done in time; call it before any other work. */
  refuseIfBusy(asker: Asker): void
  /** Makes the bcrypt hash of a password that passed the policy. */
  hash(asker: Asker, password: string): Promise<string>
  /**
   * Compares a password with a stored hash. Without one (no such account) it takes the same time and does not match.
   * `outdated` is true if it matched a hash with a lower cost than is configured.
   */
  verify(asker: Asker, password: string, stored: string | undefined): Promise<{ matches: boolean; outdated: boolean }>
}

/** The settings of hashing. */
interface PasswordSettings {
  /** The cost of a new hash: BCRYPT_COST. */
  readonly cost: number
  /** PASSWORD_TIMEOUT, in seconds. */
  readonly queueTimeout: number
  /** The highest cost of a stored hash, which every failed comparison costs. */
  readonly highestCost: HighestCost
}

/** Makes the password functions of a pool. */
export function createPasswords(pool: HashPool, { cost, queueTimeout, highestCost }: PasswordSettings): Passwords {
  const wait = queueTimeout * 1000 * SHARE.step
  async function run<R extends Partial<HashResult>>(asker: Asker, task: HashTask): Promise<R> {
    const result = await pool.run(asker, { ...task, deadline: present() + wait })
    if (result === 'late') throw busy(`no thread was free within ${wait} ms`)
    return result as R
  }
  return {
    refuseIfBusy: (asker) => pool.refuseIfBusy(asker, { cost: highestCost.known(), deadline: present() + wait }),
    hash: async (asker, sent) => {
      const { hash } = await run<{ hash: string }>(asker, { op: 'hash', cost, password: normalizePassword(sent) })
      return hash
    },
    verify: async (asker, sent, stored) => {
      const password = normalizePassword(sent)
      const highest = await highestCost.find()
      const hash = stored ?? dummyOf(highest)
      const { matches } = await run<{ matches: boolean }>(asker, { op: 'verify', cost: highest, password, hash })
      if (!matches || stored === undefined || !fitsBcrypt(password)) return { matches: false, outdated: false }
      return { matches, outdated: costOf(stored) < cost }
    }
  }
}

/** A hash for comparisons that must fail, as slow as any other. */
function dummyOf(cost: number): string {
  return `$2b$${String(cost).padStart(2, '0')}$${'.'.repeat(53)}`
}
