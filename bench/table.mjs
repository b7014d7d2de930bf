/**
 * @typedef {object} Row
 * @property {string} what
 * @property {string} unit
 * @property {Figure[]} ours
 * @property {string} beside what `other` is of
 * @property {Figure[]} other one for a limit that is given
 * @property {number} [least] bar: ours / other is at least this
 * @property {number} [most] bar: ours / other is at most this
 */

/** @typedef {import('./measure.mjs').Run} Figure */

/** What a row has beside ours where that shall be no more than a given limit. @param {number} value */
export const below = (value) => ({ beside: 'limit', other: [{ value }], most: 1 })

/** @param {Figure[]} figures */
function median(figures) {
  const values = figures.map(({ value }) => value).sort((a, b) => a - b)
  return values[Math.floor(values.length / 2)] ?? Number.NaN
}

/** The row with its medians, its ratio, and whether that reaches the bar; undefined without one. @param {Row} row */
export function judged(row) {
  const [ours, other] = [median(row.ours), median(row.other)]
  const ratio = ours / other
  const reached = row.least === undefined ? row.most && ratio <= row.most : ratio >= row.least
  return { ...row, median: { ours, other }, ratio, reached }
}

/** The rows as a table in Markdown. @param {Row[]} rows */
export function table(rows) {
  const lines = rows.map(judged).map((row) => {
    const bar = row.least === undefined ? row.most && `≤ ${row.most}` : `≥ ${row.least}`
    const verdict = { true: 'yes', false: '**missed**' }[String(row.reached)]
    const cells = [row.what, `${withSpread(row.ours)} ${row.unit}`, row.beside, withSpread(row.other)]
    return `| ${[...cells, row.ratio.toFixed(2), bar ?? '', verdict ?? ''].join(' | ')} |`
  })
  return ['| what | ours | beside | | ratio | bar | reached |', '|---|---|---|---|---|---|---|', ...lines].join('\n')
}

/** The median, and in brackets the least and the most. @param {Figure[]} figures */
function withSpread(figures) {
  const values = figures.map(({ value }) => value)
  const spread = values.length > 1 ? ` (${number(Math.min(...values))}–${number(Math.max(...values))})` : ''
  return number(median(figures)) + spread
}

/** @param {number} value */
const number = (value) => value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 2 : value < 100 ? 1 : 0 })
