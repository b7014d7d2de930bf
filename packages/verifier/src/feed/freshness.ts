/** `starting`: no complete answer yet. `current`: the feed is complete as of less than the bound ago. `cut`: it is not. */
export type FeedState = 'starting' | 'current' | 'cut'

/**
 * What happens to tokens of which the feed says nothing, while it is not current.
 *
 * - `refuse`: all are refused, with 503 `unavailable`.
 * - `recent`: while it is cut, those that were issued within the bound are accepted, others are `token_expired`. Before
 *   the first answer it is `refuse`.
 * - `accept`: all are accepted, as without a feed.
 */
export type WhenCut = 'refuse' | 'recent' | 'accept'

/** What the state says about a token that the feed does not name. */
export type Standing = 'accepted' | 'unavailable' | 'token_expired'

/**
 * How old the knowledge of the feed is, and what follows from it. It has no effects and reads no clock: `now` is in
 * milliseconds of one clock that never steps.
 */
export class Freshness {
  /** True while entries were left out, because the table is full: then the feed counts as cut. */
  isFull = false
  readonly #whenCut: WhenCut
  /** Milliseconds. */
  readonly #bound: number
  /** When the last question was sent that got a complete answer. */
  #goodAsOf = Number.NEGATIVE_INFINITY
  /** What to add to `now` for the issuer's clock, in milliseconds. */
  #ahead = 0

  constructor(whenCut: WhenCut, bound: number) {
    this.#whenCut = whenCut
    this.#bound = bound
  }

  /** A complete answer came; `completeAt` is the issuer's time, in milliseconds since 1970. */
  answered(sent: number, completeAt: number): void {
    this.#goodAsOf = sent
    this.#ahead = completeAt - sent
  }

  /** How old the knowledge is, in milliseconds; infinite before the first answer. */
  age(now: number): number {
    return now - this.#goodAsOf
  }

  state(now: number): FeedState {
    if (this.#goodAsOf === Number.NEGATIVE_INFINITY) return 'starting'
    return this.age(now) < this.#bound && !this.isFull ? 'current' : 'cut'
  }

  /** Decides about a token that the feed does not name, and that was issued at `iat`, in seconds since 1970. */
  standing(now: number, iat: number): Standing {
    if (this.#whenCut === 'accept') return 'accepted'
    const state = this.state(now)
    if (state === 'current') return 'accepted'
    if (this.#whenCut === 'refuse' || state === 'starting') return 'unavailable'
    // Never behind the issuer's clock: its time belongs to a moment after the question was sent.
    return iat * 1000 >= now + this.#ahead - this.#bound ? 'accepted' : 'token_expired'
  }

  /** Milliseconds until the feed is cut if no answer comes; 0 if it is not current. */
  untilCut(now: number): number {
    return this.state(now) === 'current' ? this.#bound - this.age(now) : 0
  }
}
