/** Most keys that are counted at once; beyond, those that were used longest ago are forgotten, which gives them a whole burst anew. */
const MOST_KEYS = 100_000

interface Bucket {
  /** What is left. */
  tokens: number
  /** Milliseconds, of when `tokens` was true. */
  at: number
}

/** Token buckets, one for each key: so many a minute, and so many of them at once. */
export class Buckets {
  readonly #perMinute: number
  readonly #burst: number
  readonly #now: () => number
  readonly #buckets = new Map<string, Bucket>()

  /** `now` is in milliseconds, of a clock that does not step; by default the monotonic one. */
  constructor({
    perMinute,
    burst,
    now = () => performance.now()
  }: { perMinute: number; burst: number; now?: () => number }) {
    this.#perMinute = perMinute
    this.#burst = burst
    this.#now = now
  }

  /** Takes one from the bucket of a key: returns 0, or if there is none, after how many whole seconds there is one. */
  take(key: string): number {
    const now = this.#now()
    const { tokens, at } = this.#buckets.get(key) ?? { tokens: this.#burst, at: now }
    const present = Math.min(this.#burst, tokens + ((now - at) * this.#perMinute) / 60_000)
    // Set anew, so that the map is in the order of use.
    this.#buckets.delete(key)
    this.#buckets.set(key, { tokens: present < 1 ? present : present - 1, at: now })
    if (this.#buckets.size > MOST_KEYS) this.#forgetOldest()
    return present < 1 ? Math.ceil(((1 - present) * 60) / this.#perMinute) : 0
  }

  #forgetOldest(): void {
    const [oldest] = this.#buckets.keys()
    if (oldest !== undefined) this.#buckets.delete(oldest)
  }
}
