/**
 * What the page does when its socket has closed: `retry` soon, `refresh` the token and come back, `sign in` anew, or `rest`
 * for a while and tell the person.
 *
 * @typedef {'retry' | 'renew' | 'sign in' | 'rest'} Answer
 */

/** How long the page stays away after 1008, in milliseconds. */
export const REST = 60_000

/** @type {Readonly<Record<number, Answer>>} */
const ANSWERS = { 1008: 'rest', 4401: 'renew', 4403: 'sign in' }

/**
 * @param {number} code of the close frame; 1006 without one
 * @returns {Answer}
 */
export function answerTo(code) {
  return ANSWERS[code] ?? 'retry'
}

/** @type {Readonly<Record<string, string>>} */
const RESTS = {
  too_many_sockets: 'The chat is open in too many windows. Close one of them.',
  flood: 'Too much was sent from here at once.'
}

/**
 * Tells the person why the page stays away.
 *
 * @param {string} reason of a 1008
 */
export function textOfRest(reason) {
  return RESTS[reason] ?? 'The chat has ended the connection.'
}
