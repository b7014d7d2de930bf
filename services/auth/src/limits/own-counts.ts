import type { FastifyRateLimitStore } from '@fastify/rate-limit'

/** Most keys that are counted, about 4 MB; beyond, the oldest counts are dropped. */
const MAX_KEYS = 20_000

interface Count {
  current: number
  readonly ends: number
}

/**
 * The counts of this process, one per key and time window, for @fastify/rate-limit.
 *
 * Each answer is a new object. The plugin's own store returns the object in which it goes on counting, and the plugin
 * reads it later: each of 25 requests at once was then the 25th.
 */
export class OwnCounts implements FastifyRateLimitStore {
  /** Ordered by the beginning of their windows. */
  readonly #counts = new Map<string, Count>()

  /** Counts one request. `window` is in milliseconds; `ttl` is how many of them are left. */
  incr(key: string, answer: (error: null, result: { current: number; ttl: number }) => void, window: number): void {
    const now = performance.now()
    const found = this.#counts.get(key)
    const count = found && found.ends > now ? found : this.#begin(key, now + window)
    count.current += 1
    answer(null, { current: count.current, ttl: count.ends - now })
  }

  /** For routes with their own settings; there are none. */
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
