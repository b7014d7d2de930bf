/** The longest pause between two tries, in milliseconds. */
const LONGEST = 30_000

/**
 * How long to wait before the next try, in milliseconds: at random up to one second at first, then up to twice as much
 * each time, so that after an outage not all come back at once.
 *
 * @param {number} tries that failed before, from 0
 * @param {() => number} [random]
 */
export function pauseAfter(tries, random = Math.random) {
  return random() * Math.min(1000 * 2 ** tries, LONGEST)
}
