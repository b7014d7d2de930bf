import { createInterface } from 'node:readline'
import { screen } from './screen.mjs'

/**
 * What a healthy start says: also that a service which was asked too early is not ready yet. pino writes the level first.
 */
const ORDINARY = /^\{"level":"(trace|debug|info)"|"msg":"not ready: /

/**
 * Opens the log of the services on the screen, one line each, made readable in development.
 *
 * Held lines are not shown until `release`: what a healthy start says would fill the screen. Warnings, errors and what is
 * no line of the log are shown at once.
 *
 * @param {object} how
 * @param {boolean} how.readable false: the lines stay JSON
 * @param {boolean} how.held
 * @param {import('./screen.mjs').Screen} [how.on] default: that of this process
 */
export async function openServiceLog({ readable, held, on = screen }) {
  // Imported only now, because it has to be built first.
  const { readableLine } = await import('@latchkey/frame/readable-log')
  /** @type {string[] | undefined} */
  let kept = held ? [] : undefined
  const print = (/** @type {string} */ line) => on.print(readable ? readableLine(line, on) : line)
  return {
    /**
     * Shows what the stream brings, to its end.
     *
     * @param {import('node:stream').Readable | null} stream
     */
    follow(stream) {
      if (!stream) return
      createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (line) => {
        if (kept && ORDINARY.test(line)) kept.push(line)
        else print(line)
      })
    },
    /**
     * Holds nothing any more.
     *
     * @param {object} what
     * @param {boolean} what.show whether what was held is shown now; false: it is forgotten
     */
    release({ show }) {
      if (show) for (const line of kept ?? []) print(line)
      kept = undefined
    }
  }
}
