/**
 * @typedef {object} Output what a screen needs of a stream such as process.stdout
 * @property {(text: string) => unknown} write
 * @property {boolean | undefined} [isTTY]
 * @property {number} [columns]
 * @property {() => boolean} [hasColors] without it there are none
 */

/** The width that is assumed where there is no terminal, and the least that is written for. */
const WIDTH = { usual: 80, least: 20 }

/** SGR codes of ECMA-48. */
const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 }

/** Back to the start of the line, and erase it. */
const ERASE = '\r\x1b[2K'

/**
 * Opens the screen that an npm script writes to. On a terminal its last line can be one that is rewritten; what is
 * printed goes above it. Elsewhere, and with TERM=dumb, no escape codes are written. Colours: only where Node finds that
 * the terminal has some, so not with NO_COLOR.
 *
 * @param {Output} out
 * @param {NodeJS.ProcessEnv} env
 */
export function openScreen(out, env) {
  const rewrites = out.isTTY === true && env['TERM'] !== 'dumb'
  const colors = rewrites && out.hasColors?.() === true
  let shown = ''
  const columns = () => Math.max(out.columns || WIDTH.usual, WIDTH.least)
  return {
    /** Whether {@link show} does anything. */
    rewrites,
    colors,
    columns,
    /**
     * Prints lines.
     *
     * @param {string} text
     */
    print(text) {
      out.write(`${shown && ERASE}${text}\n${shown}`)
    },
    /**
     * Rewrites the last line; an empty text removes it. It is cut to the width of the terminal.
     *
     * @param {string} text without escape codes
     */
    show(text) {
      if (!rewrites) return
      const line = text.length < columns() ? text : `${text.slice(0, columns() - 2)}…`
      if (line !== shown) out.write(`${shown && ERASE}${line}`)
      shown = line
    },
    /**
     * @param {keyof typeof CODES} style
     * @param {string} text
     */
    paint: (style, text) => (colors && text ? `\x1b[${CODES[style]}m${text}\x1b[0m` : text)
  }
}

/** @typedef {ReturnType<typeof openScreen>} Screen */

/** The screen of this process. */
export const screen = openScreen(process.stdout, process.env)
