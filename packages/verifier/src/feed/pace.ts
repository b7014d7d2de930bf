import type { Clock } from '../clock.ts'
import type { FeedState } from './freshness.ts'

/** The times of a question, in seconds. */
export interface QuestionTimes {
  /** How long the issuer may wait for news. */
  readonly wait: number
  /** When to give up. */
  readonly timeout: number
}

/** Shortest and longest wait for news, in seconds. */
const LEAST_WAIT = 0.5
const MOST_WAIT = 5
/** Longest time for an answer beside the wait, in seconds. */
const MOST_GRACE = 3
/** Longest pause after a failure, in seconds. */
const MOST_BACKOFF = 2

/** When a receiver asks. All times are in seconds. */
export class Pace {
  /** Failures since the last good answer. */
  failures = 0
  readonly #wait: number
  readonly #clock: Clock

  constructor(bound: number, clock: Clock) {
    // A sixth, so that one lost answer makes no cut.
    this.#wait = Math.round(Math.min(MOST_WAIT, Math.max(LEAST_WAIT, bound / 6)) * 1000) / 1000
    this.#clock = clock
  }

  /** The times of the next question. It waits for news only after a complete answer. */
  next(state: FeedState, isComplete: boolean): QuestionTimes {
    const wait = isComplete ? this.#wait : 0
    // While it is not current there is nothing to lose, and the first answer is long.
    return { wait, timeout: wait + (state === 'current' ? Math.min(this.#wait, MOST_GRACE) : MOST_GRACE) }
  }

  /** The pause after a good answer: what the issuer asked for, 2 seconds at most. */
  answered(retryAfter: number): number {
    return Math.min(MOST_BACKOFF, retryAfter)
  }

  /** The pause after a failure, from 0.5 to 2 seconds; `retryAfter` is what the issuer asked for. */
  failed(retryAfter = 0): number {
    this.failures += 1
    const backoff = Math.min(MOST_BACKOFF, this.failures) * (0.5 + 0.5 * this.#clock.random())
    return Math.min(MOST_BACKOFF, Math.max(backoff, retryAfter))
  }
}
