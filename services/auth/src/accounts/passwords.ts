import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { unavailable } from '@latchkey/tokens/errors'
import { getRounds } from 'bcryptjs'
import { Piscina } from 'piscina'
import { PART } from '../time-limits.ts'
import { fitsBcrypt, normalizePassword } from './password-policy.ts'
import type { HashJob, HashResult } from './password-worker.ts'

/** Hashes and compares passwords, off the main thread. Both throw `unavailable` (503) when too many wait. */
export interface Passwords {
  /** Throws `unavailable` when too many wait for this one to be done in its time: before anything else is done for it. */
  admit(): void
  /** Makes the bcrypt hash of a password that passed the policy. */
  hash(password: string): Promise<string>
  /**
   * Compares a password with a stored hash. Without one (no such account) it does the same work and says no.
   * `outdated` is true when it matched a hash of a lower cost than is configured.
   */
  verify(password: string, stored: string | undefined): Promise<{ matches: boolean; outdated: boolean }>
}

/** What runs the jobs: threads, or in tests the caller itself. */
export interface HashPool {
  /** Throws what `run` would throw for a job with this deadline. */
  admit(deadline: number): void
  run(job: HashJob): Promise<HashResult>
  close(): Promise<void>
}

/** Jobs that may wait; at cost 11 on two cores about 20 s of work, most of which would be too late. */
const MAX_QUEUE = 256

/** Jobs whose least time is what the next is expected to take: a machine that halts for a moment refuses nobody. */
const LATEST = 8

/** Starts one hashing thread a core. */
export function openHashPool(): HashPool {
  // The worker has the ending of this file: .ts from the sources, .js from dist.
  const worker = new URL(`./password-worker${extname(fileURLToPath(import.meta.url))}`, import.meta.url)
  const threads = availableParallelism()
  const pool = new Piscina<HashJob, HashResult>({
    filename: worker.href,
    minThreads: threads,
    maxThreads: threads,
    maxQueue: MAX_QUEUE,
    // Otherwise a job that finds no thread is put behind those that came after it, again and again.
    stricterFIFO: true
  })
  const unfinished = new Set<HashJob>()
  const times: number[] = []
  function admit(deadline: number): void {
    if (pool.queueSize >= MAX_QUEUE) throw unavailable('hashing: the queue is full')
    const now = Date.now()
    // Those that wait are not begun any more once their time has passed.
    let inTime = 0
    for (const job of unfinished) if (job.deadline > now) inTime += 1
    // Jobs that have to end before the next one begins; with none it begins, however wrong the expectation may be.
    const ahead = Math.max(0, inTime - threads + 1)
    // In milliseconds; 0 when nothing is known. The very first job compiles the code as well.
    const expected = times.length < 2 ? 0 : Math.min(...times)
    const wait = (ahead / threads) * expected
    const left = deadline - now
    // Whoever waits now is done or gone when the time that is left has passed.
    if (wait > 0 && wait + expected > left) {
      throw unavailable(`hashing: about ${Math.round(wait)} ms to wait for a thread`, left / 1000)
    }
  }
  return {
    admit,
    run: async (job) => {
      admit(job.deadline)
      unfinished.add(job)
      try {
        const result = await pool.run(job)
        if (result !== 'late') times.push(result.ms)
        if (times.length > LATEST) times.shift()
        return result
      } finally {
        unfinished.delete(job)
      }
    },
    close: () => pool.close()
  }
}

/** Makes the password functions of a pool. `cost` is bcrypt's, `queueTimeout` is HASH_QUEUE_TIMEOUT in seconds. */
export function createPasswords(
  pool: HashPool,
  { cost, queueTimeout }: { cost: number; queueTimeout: number }
): Passwords {
  // As good as any hash for a comparison that must fail, and as slow.
  const dummy = `$2b$${String(cost).padStart(2, '0')}$${'.'.repeat(53)}`
  const wait = queueTimeout * 1000 * PART.step
  async function run<R extends Partial<HashResult>>(job: {
    op: HashJob['op']
    password: string
    hash?: string
  }): Promise<R> {
    const result = await pool.run({ ...job, cost, deadline: Date.now() + wait } as HashJob)
    if (result === 'late') throw unavailable(`hashing: no thread was free within ${wait} ms`)
    return result as R
  }
  return {
    admit: () => pool.admit(Date.now() + wait),
    hash: async (sent) => (await run<{ hash: string }>({ op: 'hash', password: normalizePassword(sent) })).hash,
    verify: async (sent, stored) => {
      const password = normalizePassword(sent)
      const { matches } = await run<{ matches: boolean }>({ op: 'verify', password, hash: stored ?? dummy })
      if (!matches || stored === undefined || !fitsBcrypt(password)) return { matches: false, outdated: false }
      return { matches, outdated: getRounds(stored) < cost }
    }
  }
}
