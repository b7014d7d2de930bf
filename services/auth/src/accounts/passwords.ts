import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { unavailable } from '@latchkey/tokens/errors'
import { getRounds } from 'bcryptjs'
import { Piscina } from 'piscina'
import { fitsBcrypt, normalizePassword } from './password-policy.ts'
import type { HashJob, HashResult } from './password-worker.ts'

/** Hashes and compares passwords, off the main thread. Both throw `unavailable` (503) when too many wait. */
export interface Passwords {
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
  run(job: HashJob): Promise<HashResult>
  close(): Promise<void>
}

/** Jobs that may wait; at cost 11 on two cores about 20 s of work, most of which would be too late. */
const MAX_QUEUE = 256

/** One part in so many of the expected time of a job is that of the latest. */
const WEIGHT = 8

/** What part of the time that is left may be promised away: an estimate that fails would be work for nothing. */
const CERTAIN = 0.8

/** Starts one hashing thread a core. */
export function openHashPool(): HashPool {
  // The worker has the ending of this file: .ts from the sources, .js from dist.
  const worker = new URL(`./password-worker${extname(fileURLToPath(import.meta.url))}`, import.meta.url)
  const threads = availableParallelism()
  const pool = new Piscina<HashJob, HashResult>({
    filename: worker.href,
    minThreads: threads,
    maxThreads: threads,
    maxQueue: MAX_QUEUE
  })
  let unfinished = 0
  // Time that a thread needs for a job, in milliseconds: of the jobs before, the latest weigh most. 0: not known yet.
  let work = 0
  return {
    run: async (job) => {
      if (pool.queueSize >= MAX_QUEUE) throw unavailable('hashing: the queue is full')
      const wait = (Math.max(0, unfinished - threads + 1) / threads) * work
      const begun = Date.now()
      if (wait > 0 && wait + work > (job.deadline - begun) * CERTAIN) {
        throw unavailable(`hashing: about ${Math.round(wait)} ms to wait for a thread`, Math.ceil(wait / 1000))
      }
      unfinished += 1
      const rounds = Math.max(1, unfinished / threads)
      try {
        const result = await pool.run(job)
        const took = (Date.now() - begun) / rounds
        if (result !== 'late') work = work === 0 ? took : work + (took - work) / WEIGHT
        return result
      } finally {
        unfinished -= 1
      }
    },
    close: () => pool.close()
  }
}

/** Makes the password functions of a pool. `cost` is bcrypt's, `queueTimeout` the longest wait for a thread in seconds. */
export function createPasswords(
  pool: HashPool,
  { cost, queueTimeout }: { cost: number; queueTimeout: number }
): Passwords {
  // As good as any hash for a comparison that must fail, and as slow.
  const dummy = `$2b$${String(cost).padStart(2, '0')}$${'.'.repeat(53)}`
  async function run<R extends HashResult>(job: {
    op: HashJob['op']
    password: string
    hash?: string
  }): Promise<Exclude<R, 'late'>> {
    const result = await pool.run({ ...job, cost, deadline: Date.now() + queueTimeout * 1000 } as HashJob)
    if (result === 'late') throw unavailable(`hashing: no thread was free within ${queueTimeout} s`)
    return result as Exclude<R, 'late'>
  }
  return {
    hash: async (sent) => (await run<{ hash: string }>({ op: 'hash', password: normalizePassword(sent) })).hash,
    verify: async (sent, stored) => {
      const password = normalizePassword(sent)
      const { matches } = await run<{ matches: boolean }>({ op: 'verify', password, hash: stored ?? dummy })
      if (!matches || stored === undefined || !fitsBcrypt(password)) return { matches: false, outdated: false }
      return { matches, outdated: getRounds(stored) < cost }
    }
  }
}
