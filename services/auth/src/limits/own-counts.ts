import type { FastifyRateLimitStore } from '@fastify/rate-limit'

/** Keys that are counted at the most; of more, the oldest counts are forgotten. About 4 MB. */
const MAX_KEYS = 20_000

interface Count {
  current: number
  readonly ends: number
}

/**
 * Counts of this process alone, one a key and window of time, for @fastify/rate-limit.
 *
 * Each answer is a value of its own. The plugin's own store hands out the one object that it goes on counting in, and the
 * plugin looks at it a moment later: of 25 requests at once each was then told that it was the 25th.
 */
export class OwnCounts implements FastifyRateLimitStore {
  /** In the order in which their windows began. */
  readonly #counts = new Map<string, Count>()

  /** Counts one more. `window` in milliseconds; `ttl` says how many of them are left. */
  incr(key: string, answer: (error: null, result: { current: number; ttl: number }) => void, window: number): void {
    const now = performance.now()
    const found = this.#counts.get(key)
    const count = found && found.ends > now ? found : this.#begin(key, now + window)
    count.current += 1
    answer(null, { current: count.current, ttl: count.ends - now })
  }

  /** Routes with settings of their own would have a store of their own; there are none. */
  child(): OwnCounts {
    return new OwnCounts()
  }

  #begin(key: string, ends: number): Count {
    this.#counts.delete(key)
    const [oldest] = this.#counts.size < MAX_KEYS ? [] : this.#counts.keys()
    if (oldest !== undefined) this.#counts.delete(oldest)
    const count = { current: 0, ends }
    this.#counts.set(key, count)
    return count
  }
}
