/** Most keys that are counted, about 4 MB; beyond, the oldest counts are dropped. */
const MAX_KEYS = 20_000

/** How many requests of a key there were in its window, the present one included. */
export interface Count {
  readonly current: number
  /** How much of the window is left, in milliseconds. */
  readonly left: number
}

/** The counts of this process, one per key and time window. */
export class OwnCounts {
  /** Ordered by the beginning of their windows. */
  readonly #counts = new Map<string, { current: number; readonly ends: number }>()

  /** Counts one request. `window` is in milliseconds and begins with the first request. */
  count(key: string, window: number): Count {
    const now = performance.now()
    const found = this.#counts.get(key)
    const count = found && found.ends > now ? found : this.#begin(key, now + window)
    count.current += 1
    return { current: count.current, left: count.ends - now }
  }

  #begin(key: string, ends: number) {
    this.#counts.delete(key)
    const [oldest] = this.#counts.size < MAX_KEYS ? [] : this.#counts.keys()
    if (oldest !== undefined) this.#counts.delete(oldest)
    const count = { current: 0, ends }
    this.#counts.set(key, count)
    return count
  }
}
