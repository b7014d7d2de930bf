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

/** Up to this life, in milliseconds, a token is renewed with a third of it left: 25 seconds would be more than that. */
const SHORT = 75_000

/**
 * How long before its end a token is renewed, in milliseconds. At random, so that the tabs of a browser, and the people who
 * came back together after an outage, do not all renew at once.
 *
 * @param {number} life of the token from now on, in milliseconds
 * @param {() => number} [random]
 */
export function renewalLead(life, random = Math.random) {
  return life < SHORT ? life / 3 : 10_000 + random() * 15_000
}

/**
 * A time to wait, in words.
 *
 * @param {number} seconds
 */
export function lengthOf(seconds) {
  if (!(seconds >= 2)) return 'a second'
  if (seconds < 120) return `${Math.ceil(seconds)} seconds`
  return `${Math.ceil(seconds / 60)} minutes`
}
