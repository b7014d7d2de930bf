import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { count } from '@latchkey/events/emit'
import { type Problem, unavailable } from '@latchkey/problems/problem'
import { Tinypool } from 'tinypool'
import { present } from './clock.ts'
import { type Bcrypt, openBcrypt } from './engine.ts'
import { FairQueue } from './fair-queue.ts'
import { Pace } from './pace.ts'
import type { HashJob, HashResult } from './worker.ts'

/** For whom a password is hashed: each client address and each user has a share of the threads. */
export interface Asker {
  /** The client address, as requests are counted for it. */
  readonly client: string
  /** The user, if known: the id of an account whose token was shown, otherwise the address that was entered. */
  readonly user?: string
}

/** Runs the jobs: threads, or in tests the caller itself. */
export interface HashPool {
  /** Which bcrypt runs. */
  readonly engine: Bcrypt['engine']
  /** Throws what `run` would throw now for a job with this cost and deadline. */
  refuseIfBusy(asker: Asker, job: Pick<HashJob, 'cost' | 'deadline'>): void
  /** Runs a job when its turn has come. Throws `unavailable` if it cannot be done in time or the queue is full. */
  run(asker: Asker, job: HashJob): Promise<HashResult>
  close(): Promise<void>
  /** How many jobs there are now; for metrics. */
  counts(): HashCounts
}

/** The threads and jobs of a pool. */
export interface HashCounts {
  readonly threads: number
  readonly running: number
  readonly waiting: number
}

/** Most threads without HASH_THREADS. More cores usually have other work, and a thread takes 9 MB. */
const MOST_THREADS = 8

/** Most waiting jobs. At cost 11 on two cores they are about 20 s of work, most of which would be too late. */
const MAX_QUEUE = 256

interface Waiting {
  readonly job: HashJob
  /** When it came, by `performance.now()`. */
  readonly since: number
  readonly resolve: (result: HashResult) => void
  readonly reject: (error: unknown) => void
}

/** A job that the threads have. */
interface Running {
  readonly stop: AbortController
  readonly done: Promise<void>
}

/** How long a thread without work stays, in milliseconds. */
const IDLE = 60_000

/** What a thread runs. It has the extension of this file: .ts in the sources, .js in dist. */
const WORKER = new URL(`./worker${extname(fileURLToPath(import.meta.url))}`, import.meta.url)

/**
 * Opens a pool of this many hashing threads; by default one per core, at most eight. A thread starts when it has work,
 * and ends after a minute without.
 *
 * `failed` gets the reason why native bcrypt is not used. `worker` is a parameter for tests.
 */
export function openHashPool(threads?: number, failed?: (reason: unknown) => void, worker = WORKER): HashPool {
  const most = threads ?? Math.min(availableParallelism(), MOST_THREADS)
  return new HashThreads({ threads: most, engine: openBcrypt(failed).engine, worker })
}

// The queue before the threads decides the order, so nothing waits inside Tinypool.
class HashThreads implements HashPool {
  readonly engine: Bcrypt['engine']
  readonly #threads: number
  readonly #pool: Tinypool
  readonly #queue = new FairQueue<Waiting>(MAX_QUEUE)
  readonly #running = new Map<HashJob, Running>()
  readonly #pace = new Pace()

  constructor({ threads, engine, worker }: { threads: number; engine: Bcrypt['engine']; worker: URL }) {
    this.#pool = new Tinypool({ filename: worker.href, minThreads: 0, maxThreads: threads, idleTimeout: IDLE })
    this.#pool.on('error', (error) => this.#stopAll(error))
    this.engine = engine
    this.#threads = threads
  }

  refuseIfBusy(asker: Asker, { cost, deadline }: Pick<HashJob, 'cost' | 'deadline'>): void {
    const now = present()
    this.#dropLate(now)
    const names = namesOf(asker)
    if (!this.#queue.hasPlaceFor(names)) throw busy('the queue is full')
    const wait = this.#waitBehind([...this.#running.keys(), ...this.#queue.before(names).map(({ job }) => job)])
    const left = deadline - now
    // All jobs that wait now are done or gone when the remaining time has passed.
    if (wait > 0 && wait + this.#pace.expected(cost) > left) {
      throw busy(`about ${Math.round(wait)} ms to wait for a thread`, left / 1000)
    }
  }

  async run(asker: Asker, job: HashJob): Promise<HashResult> {
    this.refuseIfBusy(asker, job)
    return new Promise((resolve, reject) => {
      const outdone = this.#queue.add({ job, since: performance.now(), resolve, reject }, namesOf(asker))
      outdone?.reject(busy('the queue is full, and others have had less of it'))
      this.#begin()
    })
  }

  async close(): Promise<void> {
    for (const { reject } of this.#queue.drop(() => true)) reject(unavailable('hashing: the service stops'))
    await Promise.all([...this.#running.values()].map(({ done }) => done))
    await this.#pool.destroy()
  }

  counts(): HashCounts {
    return { threads: this.#threads, running: this.#running.size, waiting: this.#queue.size }
  }

  /**
   * Milliseconds until a thread is free for the job behind these; 0 if one is free now, even if the estimate is wrong.
   */
  #waitBehind(ahead: readonly HashJob[]): number {
    const ending = ahead.length - this.#threads + 1
    if (ending <= 0) return 0
    const all = ahead.reduce((sum, job) => sum + this.#pace.expected(job.cost), 0)
    return ((all / ahead.length) * ending) / this.#threads
  }

  #dropLate(now: number): void {
    for (const { resolve } of this.#queue.drop(({ job }) => job.deadline < now)) resolve('late')
  }

  #begin(): void {
    this.#dropLate(present())
    while (this.#running.size < this.#threads) {
      const next = this.#queue.take()
      if (!next) return
      const stop = new AbortController()
      this.#running.set(next.job, { stop, done: this.#work(next, stop.signal) })
    }
  }

  // A thread could not begin, as for want of memory or files, or while an update replaces its script. Tinypool would let
  // the job of this thread wait for ever, and does not tell which it is.
  #stopAll(error: unknown): void {
    for (const { stop } of this.#running.values()) stop.abort(error)
  }

  async #work({ job, since, resolve, reject }: Waiting, signal: AbortSignal): Promise<void> {
    const begun = performance.now()
    try {
      const result: HashResult = await this.#pool.run(job, { signal })
      if (result !== 'late') {
        this.#pace.note(result.pace)
        count('password_worked', { wait: (begun - since) / 1000, work: (performance.now() - begun) / 1000 })
      }
      resolve(result)
    } catch (error) {
      reject(signal.aborted ? unavailable('hashing: a thread could not begin', 1, signal.reason) : error)
    } finally {
      this.#running.delete(job)
      this.#begin()
    }
  }
}

/** The 503 of a password that cannot be hashed in time. */
export function busy(reason: string, retryAfter?: number): Problem {
  count('password_refused', {})
  return unavailable(`hashing: ${reason}`, retryAfter)
}

function namesOf({ client, user }: Asker): string[] {
  return user === undefined ? [`client ${client}`] : [`client ${client}`, `user ${user}`]
}
