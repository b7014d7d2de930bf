import type { HashPool } from '../src/passwords/hash-pool.ts'
import work, { type HashJob } from '../src/passwords/worker.ts'

/** A hashing pool that works on the spot, remembers its jobs, and can be made to wait. */
export interface DirectPool extends HashPool {
  readonly jobs: HashJob[]
  /** Holds the next job of this kind. `begun` resolves when it has come; it ends after `release()`, or fails so. */
  hold(op: HashJob['op']): { begun: Promise<void>; release(): void; fail(error: Error): void }
}

interface Hold {
  readonly op: HashJob['op']
  readonly begin: () => void
  readonly released: Promise<void>
}

/** Makes a pool without threads: what the workers would do, done by the caller. */
export function directPool(): DirectPool {
  const jobs: HashJob[] = []
  const holds: Hold[] = []
  return {
    engine: 'native',
    jobs,
    hold(op) {
      let begin = () => {}
      let release = () => {}
      let fail = (_error: Error) => {}
      const begun = new Promise<void>((resolve) => {
        begin = resolve
      })
      const released = new Promise<void>((resolve, reject) => {
        release = resolve
        fail = reject
      })
      holds.push({ op, begin, released })
      return { begun, release, fail }
    },
    async run(_asker, job) {
      jobs.push(job)
      const result = work(job)
      const next = holds.findIndex(({ op }) => op === job.op)
      if (next >= 0) {
        const [held] = holds.splice(next, 1)
        held?.begin()
        await held?.released
      }
      return result
    },
    refuseIfBusy: () => {},
    counts: () => ({ threads: 0, running: 0, waiting: 0 }),
    close: async () => {}
  }
}
