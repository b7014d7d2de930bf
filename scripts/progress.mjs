import { screen } from './screen.mjs'

/** How often the line on a terminal is rewritten, and how long a plain one is silent, in milliseconds. */
const EVERY = { rewritten: 100, silence: 60_000 }

const FRAMES = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'

/**
 * Shows what is being done until it is done: on a terminal in one line that is rewritten, with the seconds; elsewhere in
 * one plain line, and one more for each minute that it takes.
 *
 * @template T
 * @param {string} what such as `Building`
 * @param {() => Promise<T>} work
 * @param {() => string} [state] how far it is, such as `12 of 90 packages`; by default only the time is shown
 * @param {object} [how]
 * @param {import('./screen.mjs').Screen} [how.on] default: that of this process
 * @param {number} [how.silence] default: a minute, in milliseconds
 * @returns {Promise<T>} what the work resolves with
 */
export async function withProgress(what, work, state = () => '', { on = screen, silence = EVERY.silence } = {}) {
  const start = performance.now()
  const time = () => secondsOf(performance.now() - start)
  const tick = on.rewrites ? spinner(what, state, time, on) : () => on.print(`  … ${listed(time(), state())}`)
  if (on.rewrites) tick()
  else on.print(`${what} …`)
  const timer = setInterval(tick, on.rewrites ? EVERY.rewritten : silence)
  try {
    const result = await work()
    on.show('')
    if (on.rewrites) on.print(`${on.paint('green', '✓')} ${what} ${on.paint('dim', time())}`)
    return result
  } catch (error) {
    on.show('')
    if (on.rewrites) on.print(`${on.paint('red', '✗')} ${what} ${on.paint('dim', time())}`)
    throw error
  } finally {
    clearInterval(timer)
  }
}

/**
 * @param {string} what
 * @param {() => string} state
 * @param {() => string} time
 * @param {import('./screen.mjs').Screen} on
 * @returns {() => void} writes the line anew
 */
function spinner(what, state, time, on) {
  let count = 0
  let known = ''
  return () => {
    // It may look at many files: once a second is enough.
    if (count % 10 === 0) known = state()
    on.show(`${FRAMES[count % FRAMES.length]} ${what} ${listed(time(), known)}`)
    count += 1
  }
}

/** @param {string[]} parts */
const listed = (...parts) => parts.filter(Boolean).join(', ')

/**
 * @param {number} milliseconds
 * @returns {string} such as 0.8 s, 12 s
 */
export function secondsOf(milliseconds) {
  const seconds = milliseconds / 1000
  return `${seconds < 9.95 ? seconds.toFixed(1) : Math.round(seconds)} s`
}
