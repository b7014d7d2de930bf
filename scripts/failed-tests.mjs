import { Parser } from 'tap-parser'

/**
 * What failed in a run of tap, a line each: the file, the names of the tests down to the assertion, and where that stands.
 *
 * @param {string} output TAP
 */
export function failedTests(output) {
  /** @type {string[]} */
  const lines = []
  const parser = new Parser()
  follow(parser, [])
  parser.end(output)
  return lines

  /** @param {Parser} parser @param {string[]} names of the tests it is in, the file first */
  function follow(parser, names) {
    let before = 0
    parser.on('child', (child) => {
      before = lines.length
      follow(child, [...names, child.name])
    })
    parser.on('assert', ({ ok, todo, skip, closingTestPoint, name, diag }) => {
      if (ok || todo || skip) return
      // What failed inside a test is told already; a file may fail without, by its exit code.
      if (closingTestPoint && lines.length > before) return
      const place = diag?.at?.lineNumber ? ` (${diag.at.fileName}:${diag.at.lineNumber})` : ''
      lines.push(`failed: ${[...names, name].join(' > ')}${place}`)
    })
  }
}
