/**
 * The result of a run of tap in one plain line that a person, and any CI, can read.
 *
 * @param {string} output TAP, at whose end tap writes such as `# { total: 7, pass: 6, fail: 1 }`
 */
export function countLine(output) {
  const summary = output.match(/^# \{ total: .*\}$/gm)?.at(-1) ?? '# { fail: 1 }'
  const count = (/** @type {string} */ word) => Number(new RegExp(`\\b${word}: (\\d+)`).exec(summary)?.[1] ?? 0)
  const skipped = count('skip') + count('todo')
  return `${count('pass')} passed, ${count('fail')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}
