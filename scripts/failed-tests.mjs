import { Parser } from 'tap-parser'

/**
 * The failures of a run of tap, one line each: the file, the names of the tests and of the assertion, and its place.
 * Then the files that reached their time limit: this need not be a fault, but the rest of their tests did not run. Then
 * the number of files that tap did not run, because it had ended others.
 *
 * @param {string} output TAP
 */
export function failedTests(output) {
  /** @type {{ line: string, file: string, isSum: boolean }[]} isSum: nothing that was asserted, but a test or a file as a whole */
  const failures = []
  /** @type {Map<string, string>} file to how that is said */
  const slow = new Map()
  /** @type {Set<string>} */
  const files = new Set()
  let planned = 0
  const parser = new Parser()
  parser.on('plan', ({ end }) => {
    planned = end
  })
  follow(parser, [])
  parser.end(output)
  const left = planned - files.size
  return [
    ...failures.filter(({ file, isSum }) => !(isSum && slow.has(file))).map(({ line }) => line),
    ...slow.values(),
    ...(left > 0 ? [`not run: ${left} test file${left > 1 ? 's' : ''}`] : [])
  ]

  /** @param {Parser} parser @param {string[]} names of the tests it is in, the file first */
  function follow(parser, names) {
    let before = 0
    const [file] = names
    parser.on('child', (child) => {
      before = failures.length
      if (!file) files.add(child.name)
      follow(child, [...names, child.name])
    })
    parser.on('comment', (text) => {
      const [, told] = /^# (too slow: .*)/.exec(text) ?? []
      if (told && file) slow.set(file, told)
    })
    parser.on('assert', (result) => {
      // A test that was still running when its file was ended.
      const expired = result.diag?.expired && (file ?? result.diag.expired)
      if (!file) files.add(expired || result.name)
      if (expired) slow.set(expired, slow.get(expired) ?? `too slow: ${expired} (over its time limit)`)
      else if (isFailure(result, failures.length > before)) {
        const line = `failed: ${[...names, result.name].join(' > ')}${placeOf(result)}`
        failures.push({ line, file: file ?? result.name, isSum: result.closingTestPoint })
      }
    })
  }
}

/**
 * @param {import('tap-parser').Result} result
 * @param {boolean} isTold something inside has failed; a file may fail without, by its exit code
 */
function isFailure({ ok, todo, skip, closingTestPoint }, isTold) {
  return !(ok || todo || skip || (closingTestPoint && isTold))
}

/** @param {import('tap-parser').Result} result */
function placeOf({ diag }) {
  return diag?.at?.lineNumber ? ` (${diag.at.fileName}:${diag.at.lineNumber})` : ''
}
