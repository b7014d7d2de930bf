import type { Clock } from './clock.ts'
import { requireNumbers, YEAR } from './options.ts'

/** When the key set of an issuer is fetched and for how long it is believed. All are seconds. */
export interface FetchTimes {
  /** Shortest time until the set is fetched again, though the issuer's max-age may be shorter; 1 at least. 30. */
  readonly minAge?: number
  /** Longest time until the set is fetched again, though max-age may be longer: by then a withdrawn key is refused. 600. */
  readonly maxAge?: number
  /** A set that could not be renewed for so long is believed no more: every token gets 503 `unavailable`. 86,400. */
  readonly staleAge?: number
  /** Least time between two fetches that unknown keys cause: a flood costs no more, a new key waits so long. 5. */
  readonly cooldown?: number
}

/** `empty`: no set that may be believed. `good`: the last fetch succeeded. `erring`: it failed, or none has ended yet. */
export type KeySetState = 'empty' | 'good' | 'erring'

/** When a fetch began: milliseconds since 1970, and of the clock that never steps. */
export interface Moment {
  readonly now: number
  readonly elapsed: number
}

const LONGEST_BACKOFF = 15

/**
 * The policy of a key set that is fetched, as a state machine: `succeeded` and `failed` move it, each telling when the
 * timer has to begin the next fetch; `demand` says what a key is worth that the set lacks. It does nothing itself.
 */
export class FetchPolicy {
  /** When the fetch began that brought the set: wall clock, because it outlives the process in the cache file. */
  goodAt = Number.NEGATIVE_INFINITY
  /** Fetches that failed since one succeeded. */
  failures = 0
  /** When a demand may begin a fetch: milliseconds of the clock that never steps. */
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

  /** A fetch brought a set that may be kept for `freshFor` seconds, if the issuer said so. */
  succeeded(began: Moment, freshFor = Number.POSITIVE_INFINITY): number {
    const { minAge, maxAge, cooldown } = this.#times
    this.goodAt = began.now
    this.failures = 0
    this.#lastSucceeded = true
    this.nextAllowed = began.elapsed + cooldown * 1000
    const age = Math.min(maxAge, Math.max(minAge, freshFor))
    return began.elapsed + age * 1000 * (0.75 + 0.15 * this.#clock.random())
  }

  /** A fetch brought nothing of use; the set that is held stays. */
  failed(): number {
    this.failures += 1
    this.#lastSucceeded = false
    const backoff = Math.min(LONGEST_BACKOFF, 2 ** (this.failures - 1)) * (0.5 + 0.5 * this.#clock.random())
    this.nextAllowed = this.#clock.elapsed() + backoff * 1000
    return this.nextAllowed
  }

  /**
   * What a request does that needs a key which the set lacks, while no fetch runs: begin one, wait for the next, which
   * is a cooldown away at most and may bring a key published a moment ago, or take its answer from what is known.
   */
  demand(): 'fetch' | 'wait' | 'answer' {
    if (this.#clock.elapsed() >= this.nextAllowed) return 'fetch'
    return this.state === 'good' ? 'wait' : 'answer'
  }
}
