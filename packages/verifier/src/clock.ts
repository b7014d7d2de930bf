/** The clock, as a parameter: tests move it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Milliseconds of a monotonic clock. */
  elapsed(): number
  /**
   * Calls back after this many milliseconds; returns a function that cancels it.
   *
   * If `holding` is true, it keeps the process alive until then, because somebody waits for it. By default it does not.
   */
  after(milliseconds: number, call: () => void, holding?: boolean): () => void
  /** A number from 0 up to 1, for jitter. */
  random(): number
}

/** Longest time of a timer in Node, in milliseconds; a longer one fires at once. */
const LONGEST_TIMER = 2 ** 31 - 1

/**
 * The system's clock; a timer of more than 24 days ends after 24 days.
 *
 * It reads every global when it is called, because fake clocks of tests replace them.
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
    // Some fake clocks return numbers.
    if (!holding) timer.unref?.()
    return () => {
      // Only once: mock timers of node:test lose other timers if an ended one is cleared (Node.js 20).
      if (pending) clearTimeout(timer)
      pending = false
    }
  },
  random: () => Math.random()
}
