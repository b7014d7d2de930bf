/** The time, as a parameter: tests move it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Milliseconds of a clock that never steps. */
  elapsed(): number
  /** Calls back after so many milliseconds; returns what cancels it. */
  after(milliseconds: number, call: () => void): () => void
  /** A number from 0 up to 1, for jitter. */
  random(): number
}

/** Longest time that a timer of Node's can take, in milliseconds; one of more ends at once. */
const LONGEST_TIMER = 2 ** 31 - 1

/** The time as it is. Its timers keep no process alive; one of more than 24 days ends after 24 days. */
export const SYSTEM_CLOCK: Clock = {
  now: Date.now,
  elapsed: () => performance.now(),
  after: (milliseconds, call) => {
    const timer = setTimeout(call, Math.min(milliseconds, LONGEST_TIMER)).unref()
    return () => clearTimeout(timer)
  },
  random: Math.random
}
