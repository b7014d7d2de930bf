/**
 * @typedef {object} Row
 * @property {string} what
 * @property {string} unit
 * @property {number} ours
 * @property {string} [beside] what `other` is of
 * @property {number} [other]
 * @property {number} [least] bar: ours / other is at least this
 * @property {number} [most] bar: ours / other is at most this
 */

/** @param {Row} row */
export const ratioOf = ({ ours, other }) => (other === undefined ? undefined : ours / other)

/** @param {Row} row whether the bar holds; undefined without one */
export function holds(row) {
  const ratio = ratioOf(row) ?? Number.NaN
  if (row.least !== undefined) return ratio >= row.least
  return row.most === undefined ? undefined : ratio <= row.most
}

/** The rows as a table in Markdown. @param {Row[]} rows */
export function table(rows) {
  const lines = rows.map((row) => {
    const ratio = ratioOf(row)
    const bar = row.least === undefined ? row.most && `≤ ${row.most}` : `≥ ${row.least}`
    const verdict = { true: 'yes', false: '**no**', undefined: '' }[String(holds(row))]
    const cells = [
      row.what,
      `${number(row.ours)} ${row.unit}`,
      row.beside ?? '',
      row.other === undefined ? '' : number(row.other)
    ]
    return `| ${[...cells, ratio === undefined ? '' : ratio.toFixed(2), bar ?? '', verdict].join(' | ')} |`
  })
  return ['| what | ours | beside | | ratio | bar | reached |', '|---|---|---|---|---|---|---|', ...lines].join('\n')
}

/** @param {number} value */
const number = (value) => value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 2 : value < 100 ? 1 : 0 })
