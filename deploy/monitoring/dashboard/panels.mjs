// What Grafana wants to know of a panel, beside what the rows say of it.

/** The data source of provisioning/datasources.yml. */
export const DATASOURCE = { type: 'prometheus', uid: 'latchkey-prometheus' }

const RUNBOOK = 'https://git.example.com/latchkey/blob/main/docs/operations.md'

/**
 * @typedef {{ expr: string, legend?: string }} Target
 * @typedef {{
 *   title: string,
 *   says: string,
 *   unit?: string,
 *   targets: Target[],
 *   width?: number,
 *   stacked?: boolean,
 *   bound?: number,
 *   alert?: string,
 *   words?: Record<string, string>
 * }} Panel What a row says of a panel: `width` of 24, `bound` from which on it is red, the `alert` that watches it, and `words` that
 * stand for values.
 * @typedef {Panel & { kind: 'graph' | 'number' | 'table' }} Drawn
 */

/** A panel over time. @param {Panel} panel @returns {Drawn} */
export const graph = (panel) => ({ width: 8, ...panel, kind: 'graph' })

/** The last value as a large number. @param {Panel} panel @returns {Drawn} */
export const number = (panel) => ({ width: 4, ...panel, kind: 'number' })

/** The labels of what is there now. @param {Panel} panel @returns {Drawn} */
export const table = (panel) => ({ width: 12, ...panel, kind: 'table' })

const HEIGHT = { graph: 8, number: 4, table: 8 }

/** The rows as Grafana's list of panels: one after the other, from left to right. @param {{ title: string, panels: Drawn[] }[]} rows */
export function layOut(rows) {
  let [y, id] = [0, 1]
  return rows.flatMap(({ title, panels }) => {
    const head = { id: id++, type: 'row', title, collapsed: false, panels: [], gridPos: { x: 0, y: y++, w: 24, h: 1 } }
    let [x, tallest] = [0, 0]
    const drawn = panels.map((panel) => {
      const [w, h] = [panel.width ?? 8, HEIGHT[panel.kind]]
      if (x + w > 24) {
        y += tallest
        x = tallest = 0
      }
      const gridPos = { x, y, w, h }
      x += w
      tallest = Math.max(tallest, h)
      return { id: id++, ...draw(panel), gridPos }
    })
    y += tallest
    return [head, ...drawn]
  })
}

/** @param {Drawn} panel */
function draw(panel) {
  const { kind, title, says, targets, alert } = panel
  return {
    type: { graph: 'timeseries', number: 'stat', table: 'table' }[kind],
    title,
    description: says,
    datasource: DATASOURCE,
    links: alert
      ? [{ title: `What to do: ${alert}`, url: `${RUNBOOK}#${alert.toLowerCase()}`, targetBlank: true }]
      : [],
    fieldConfig: { defaults: fieldsOf(panel), overrides: [] },
    options: OPTIONS[kind],
    ...(kind === 'table' && { transformations: [{ id: 'organize', options: { excludeByName: HIDDEN } }] }),
    targets: targets.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: DATASOURCE,
      editorMode: 'code',
      expr,
      ...(legend && { legendFormat: legend }),
      ...(kind === 'graph' ? { range: true, instant: false } : { range: false, instant: true }),
      ...(kind === 'table' && { format: 'table' })
    }))
  }
}

/** @param {Drawn} panel */
function fieldsOf({ kind, unit = 'short', bound, stacked, words = {} }) {
  const red = bound === undefined ? [] : [{ color: 'red', value: bound }]
  return {
    unit,
    ...(kind === 'graph' && { min: 0, color: { mode: 'palette-classic' }, custom: linesOf(bound, stacked) }),
    ...(kind === 'number' && { color: { mode: 'thresholds' } }),
    thresholds: {
      mode: 'absolute',
      steps: [{ color: kind === 'graph' ? 'transparent' : 'green', value: null }, ...red]
    },
    mappings: Object.entries(words).map(([value, text]) => ({ type: 'value', options: { [value]: { text } } }))
  }
}

const linesOf = (/** @type {number | undefined} */ bound, stacked = false) => ({
  drawStyle: 'line',
  lineWidth: 1,
  fillOpacity: stacked ? 30 : 5,
  showPoints: 'auto',
  stacking: { mode: stacked ? 'normal' : 'none', group: 'A' },
  thresholdsStyle: { mode: bound === undefined ? 'off' : 'dashed' }
})

const OPTIONS = {
  graph: {
    legend: { showLegend: true, displayMode: 'list', placement: 'bottom', calcs: [] },
    tooltip: { mode: 'multi', sort: 'desc' }
  },
  number: {
    reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
    colorMode: 'value',
    graphMode: 'none',
    justifyMode: 'auto',
    orientation: 'auto',
    textMode: 'value'
  },
  table: { showHeader: true, cellHeight: 'sm' }
}

/** Columns of a table that say nothing. */
const HIDDEN = { Time: true, Value: true, __name__: true }
