import type { Clock } from './clock.ts'
import { requireNumbers, YEAR } from './options.ts'

/** When a key set is fetched, and how long it is used. All times are in seconds. */
export interface FetchTimes {
  /** Shortest time until the next fetch, even if the issuer's max-age is shorter; at least 1. 30. */
  readonly minAge?: number
  /** Longest time until the next fetch, even if max-age is longer: by then a withdrawn key is refused. 600. */
  readonly maxAge?: number
  /** A set that could not be renewed for this long is no longer used: every token gets 503 `unavailable`. 86,400. */
  readonly staleAge?: number
  /** Shortest time between two fetches for unknown keys: it limits a flood, and a new key may wait this long. 5. */
  readonly cooldown?: number
}

/** `empty`: there is no usable set. `good`: the last fetch succeeded. `erring`: it failed, or none has ended yet. */
export type KeySetState = 'empty' | 'good' | 'erring'

/** When a fetch began: milliseconds since 1970, and of the monotonic clock. */
export interface Moment {
  readonly now: number
  readonly elapsed: number
}

const LONGEST_BACKOFF = 15

/**
 * The policy of a fetched key set, as a state machine. `succeeded` and `failed` change the state and return when the
 * timer must start the next fetch; `demand` says what to do for a key that the set lacks. It has no effects itself.
 */
export class FetchPolicy {
  /** When the fetch of the current set began: by the wall clock, because the cache file outlives the process. */
  goodAt = Number.NEGATIVE_INFINITY
  /** Failed fetches since the last success. */
  failures = 0
  /** When a demand may start a fetch: milliseconds of the monotonic clock. */
  nextAllowed = 0
  #lastSucceeded = false
  readonly #times: Required<FetchTimes>
  readonly #clock: Clock

  constructor({ minAge = 30, maxAge = 600, staleAge = 86_400, cooldown = 5 }: FetchTimes, clock: Clock) {
    requireNumbers({
      minAge: [minAge, 1, YEAR],
      maxAge: [maxAge, 1, YEAR],
      staleAge: [staleAge, 1, YEAR],
      cooldown: [cooldown, 0, 3600]
    })
    this.#times = { minAge, maxAge, staleAge, cooldown }
    this.#clock = clock
  }

  get state(): KeySetState {
    if (this.#clock.now() >= this.goodAt + this.#times.staleAge * 1000) return 'empty'
    return this.#lastSucceeded ? 'good' : 'erring'
  }

  /** A fetch returned a set, which may be kept for `freshFor` seconds if the issuer said so. */
  succeeded(began: Moment, freshFor = Number.POSITIVE_INFINITY): number {
    const { minAge, maxAge, cooldown } = this.#times
    this.goodAt = began.now
    this.failures = 0
    this.#lastSucceeded = true
    this.nextAllowed = began.elapsed + cooldown * 1000
    const age = Math.min(maxAge, Math.max(minAge, freshFor))
    return began.elapsed + age * 1000 * (0.75 + 0.15 * this.#clock.random())
  }

  /** A fetch failed; the current set stays. */
  failed(): number {
    this.failures += 1
    this.#lastSucceeded = false
    const backoff = Math.min(LONGEST_BACKOFF, 2 ** (this.failures - 1)) * (0.5 + 0.5 * this.#clock.random())
    this.nextAllowed = this.#clock.elapsed() + backoff * 1000
    return this.nextAllowed
  }

  /**
   * What a request does if the set lacks its key and no fetch is running: start one, wait for the next one, which is at
   * most a cooldown away and may bring a new key, or answer from the current set.
   */
  demand(): 'fetch' | 'wait' | 'answer' {
    if (this.#clock.elapsed() >= this.nextAllowed) return 'fetch'
    return this.state === 'good' ? 'wait' : 'answer'
  }
}
