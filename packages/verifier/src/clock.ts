/** The time, as a parameter: tests move it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Milliseconds of a clock that never steps. */
  elapsed(): number
  /**
   * Calls back after so many milliseconds; returns what cancels it.
   *
   * Until then it keeps the process alive if `holding` is true: somebody waits for it. By default it does not.
   */
  after(milliseconds: number, call: () => void, holding?: boolean): () => void
  /** A number from 0 up to 1, for jitter. */
  random(): number
}

/** Longest time that a timer of Node's can take, in milliseconds; one of more ends at once. */
const LONGEST_TIMER = 2 ** 31 - 1

/**
 * The time as it is; a timer of more than 24 days ends after 24 days.
 *
 * Looks every global up when it is called and never before, because tests of others put a clock of theirs in the place.
 */
export const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after: (milliseconds, call, holding = false) => {
    const { setTimeout, clearTimeout } = globalThis
    let pending = true
    const end = () => {
      pending = false
      call()
    }
    const timer = setTimeout(end, Math.min(milliseconds, LONGEST_TIMER))
    // Some clocks of tests give numbers.
    if (!holding) timer.unref?.()
    return () => {
      // Once: the mock timers of node:test lose others when one is cleared that has ended (Node 20).
      if (pending) clearTimeout(timer)
      pending = false
    }
  },
  random: () => Math.random()
}
