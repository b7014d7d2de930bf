import { uptime } from 'node:os'
import { type Clock, SYSTEM_CLOCK } from '../clock.ts'

/** A clock that knows how long the machine has run, asleep or not. */
export interface FeedClock extends Clock {
  /** Milliseconds since the machine was started, with the time that it slept. */
  uptime(): number
}

/** The system's clock. */
export const SYSTEM_FEED_CLOCK: FeedClock = { ...SYSTEM_CLOCK, uptime: () => uptime() * 1000 }

/** By how much the wall clock may run away from the monotonic one before the machine may have slept, in milliseconds. */
const DRIFT = 20
/** Longest time until the uptime is read again, in milliseconds awake. */
const READ_EVERY = 1000

/**
 * A clock that never steps and counts the time that the machine slept: the larger of monotonic clock and uptime.
 *
 * Reading the uptime takes some microseconds. So it is read once a second, and at once if the wall clock moved against the
 * monotonic clock, as it does after a sleep. A wall clock that is set does nothing more than that.
 */
export class SteadyClock {
  readonly #clock: FeedClock
  /** Uptime at the elapsed time 0. */
  readonly #origin: number
  #asleep = 0
  #drift: number
  #readAt: number

  constructor(clock: FeedClock) {
    this.#clock = clock
    this.#readAt = clock.elapsed()
    this.#drift = clock.now() - this.#readAt
    this.#origin = clock.uptime() - this.#readAt
  }

  /** Milliseconds; the origin has no meaning. */
  now(): number {
    const elapsed = this.#clock.elapsed()
    const drift = this.#clock.now() - elapsed
    if (elapsed - this.#readAt >= READ_EVERY || Math.abs(drift - this.#drift) > DRIFT) {
      this.#readAt = elapsed
      this.#drift = drift
      // The uptime of a container may fall; then the monotonic clock alone goes on.
      this.#asleep = Math.max(this.#asleep, this.#clock.uptime() - this.#origin - elapsed)
    }
    return elapsed + this.#asleep
  }
}
