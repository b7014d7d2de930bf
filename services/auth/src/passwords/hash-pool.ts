import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { unavailable } from '@latchkey/problems/problem'
import { Piscina } from 'piscina'
import { FairQueue } from './fair-queue.ts'
import type { HashJob, HashResult } from './worker.ts'

/** For whom a password is hashed: each address and each user has a share of the threads. */
export interface Asker {
  /** The client address, as requests are counted for it. */
  readonly client: string
  /** Who is named, if that is known: the id of an account whose token was shown, or else the address that was typed. */
  readonly user?: string
}

/** What runs the jobs: threads, or in tests the caller itself. */
export interface HashPool {
  /** Throws what `run` would throw now for a job of this cost with this deadline. */
  refuseIfBusy(asker: Asker, job: Pick<HashJob, 'cost' | 'deadline'>): void
  /** Does a job when its turn has come. Throws `unavailable` when it cannot be done in time, or finds no place. */
  run(asker: Asker, job: HashJob): Promise<HashResult>
  close(): Promise<void>
}

/** Threads without HASH_THREADS. More cores than that seldom have nothing else to do, and a thread takes 9 MB. */
const MOST_THREADS = 8

/** Jobs that may wait; at cost 11 on two cores about 20 s of work, most of which would be too late. */
const MAX_QUEUE = 256

/** Jobs whose least time is what the next is expected to take: a machine that halts for a moment refuses nobody. */
const LATEST = 8

interface Waiting {
  readonly job: HashJob
  readonly resolve: (result: HashResult) => void
  readonly reject: (error: unknown) => void
}

/** Starts so many hashing threads, by default one a core and at most eight. Whose turn it is says the queue before them, so nothing waits inside. */
export function openHashPool(threads = Math.min(availableParallelism(), MOST_THREADS)): HashPool {
  // The worker has the ending of this file: .ts from the sources, .js from dist.
  const worker = new URL(`./worker${extname(fileURLToPath(import.meta.url))}`, import.meta.url)
  const pool = new Piscina<HashJob, HashResult>({ filename: worker.href, minThreads: threads, maxThreads: threads })
  const queue = new FairQueue<Waiting>(MAX_QUEUE)
  const running = new Set<HashJob>()
  const paces: number[] = []

  /** Milliseconds that a job takes, as far as is known; 0 when nothing is. The very first job compiles the code as well. */
  const expected = (cost: number) => (paces.length < 2 ? 0 : Math.min(...paces) * 2 ** cost)

  function refuseIfBusy(asker: Asker, { cost, deadline }: Pick<HashJob, 'cost' | 'deadline'>): void {
    const now = Date.now()
    dropLate(now)
    const names = namesOf(asker)
    if (!queue.hasPlaceFor(names)) throw unavailable('hashing: the queue is full')
    const ahead = [...running, ...queue.before(names).map(({ job }) => job)]
    // Jobs that have to end before this one begins; with none it begins, however wrong the expectation may be.
    const ending = ahead.length - threads + 1
    if (ending <= 0) return
    const all = ahead.reduce((sum, job) => sum + expected(job.cost), 0)
    const wait = ((all / ahead.length) * ending) / threads
    const left = deadline - now
    // Whoever waits now is done or gone when the time that is left has passed.
    if (wait > 0 && wait + expected(cost) > left) {
      throw unavailable(`hashing: about ${Math.round(wait)} ms to wait for a thread`, left / 1000)
    }
  }

  function dropLate(now: number): void {
    for (const { resolve } of queue.drop(({ job }) => job.deadline < now)) resolve('late')
  }

  function begin(): void {
    dropLate(Date.now())
    while (running.size < threads) {
      const next = queue.take()
      if (!next) return
      void work(next)
    }
  }

  async function work({ job, resolve, reject }: Waiting): Promise<void> {
    running.add(job)
    try {
      const result = await pool.run(job)
      if (result !== 'late') paces.push(result.pace)
      if (paces.length > LATEST) paces.shift()
      resolve(result)
    } catch (error) {
      reject(error)
    } finally {
      running.delete(job)
      begin()
    }
  }

  return {
    refuseIfBusy,
    run: async (asker, job) => {
      refuseIfBusy(asker, job)
      return new Promise((resolve, reject) => {
        const outdone = queue.add({ job, resolve, reject }, namesOf(asker))
        outdone?.reject(unavailable('hashing: the queue is full, and others have had less of it'))
        begin()
      })
    },
    close: async () => {
      for (const { reject } of queue.drop(() => true)) reject(unavailable('hashing: the service stops'))
      await pool.close()
    }
  }
}

function namesOf({ client, user }: Asker): string[] {
  return user === undefined ? [`client ${client}`] : [`client ${client}`, `user ${user}`]
}
