// Rules, dashboard and runbook ask for metrics that exist, by labels and values that exist. A rename fails here.
import { readFile } from 'node:fs/promises'
import type { Metric } from '@latchkey/metrics/definition'
import { METRICS } from '@latchkey/metrics/list'
import { between } from '@latchkey/testing/between'
import t from 'tap'
import { MONITORING, readAlerts } from './prometheus.ts'

const OWN: ReadonlyMap<string, Metric> = new Map(
  Object.values(METRICS).flatMap((group) => Object.entries<Metric>(group))
)

/** What prom-client has by default, as far as it is asked for. */
const DEFAULTS = [
  'process_start_time_seconds',
  'process_cpu_seconds_total',
  'process_resident_memory_bytes',
  'nodejs_heap_size_used_bytes',
  'nodejs_eventloop_lag_p99_seconds'
]

/** Labels that Prometheus itself adds, or that a histogram has. */
const ADDED = ['job', 'instance', 'le']

/** Values of labels that the list leaves open. */
const CLASSES = /^[245]xx$/

const read = (path: string) => readFile(path, 'utf8')
const runbook = await read(new URL('../docs/operations.md', import.meta.url).pathname)
const asked = {
  'alerts.yml': await read(`${MONITORING}alerts.yml`),
  'alerts.test.yml': await read(`${MONITORING}alerts.test.yml`),
  'dashboard.json': (await read(`${MONITORING}dashboard.json`)).replaceAll('\\"', '"'),
  'docs/operations.md': runbook
}

/** The metric that a name belongs to: a histogram has three. */
const ofSeries = (name: string) => (OWN.has(name) ? name : name.replace(/_(bucket|sum|count)$/, ''))

const namesIn = (text: string) =>
  new Set([...text.matchAll(/\b(?:latchkey|http_server|nodejs|process)_[a-z0-9_]+/g)].map(([name]) => ofSeries(name)))

t.test('each metric that is asked for exists', async (t) => {
  for (const [file, text] of Object.entries(asked)) {
    const names = [...namesIn(text)]
    if (file !== 'docs/operations.md') between(t, names.length, { least: 3 }, file)
    t.strictSame(
      names.filter((name) => !OWN.has(name) && !DEFAULTS.includes(name)),
      [],
      file
    )
  }
})

t.test('each metric that exists is on the dashboard', async (t) => {
  const shown = namesIn(asked['dashboard.json'])
  t.strictSame(
    [...OWN.keys()].filter((name) => !shown.has(name)),
    []
  )
})

t.test('each label that is asked for exists, with this value', async (t) => {
  for (const [file, text] of Object.entries(asked)) {
    for (const [, name = '', braces = ''] of text.matchAll(/\b((?:latchkey|http_server)_[a-z0-9_]+)\{([^}]*)\}/g)) {
      for (const [, label = '', value = ''] of braces.matchAll(/(\w+)[!=]~?"([^"]*)"/g)) {
        if (!ADDED.includes(label)) t.ok(knows(name, label, value), `${file}: ${name} ${label} ${value}`)
      }
    }
  }
})

function knows(name: string, label: string, value: string): boolean {
  const values = OWN.get(ofSeries(name))?.labels?.[label]
  if (values === 'open') return label !== 'status_class' || value.split('|').every((one) => CLASSES.test(one))
  return values !== undefined && value.split('|').every((one) => values.includes(one))
}

t.test('each alert has a section in the runbook, and no section is without an alert', async (t) => {
  const sections = [...runbook.matchAll(/^### (Latchkey\w+)$/gm)].map(([, name]) => name)
  t.strictSame(
    sections,
    (await readAlerts()).map(({ name }) => name),
    'in the order of alerts.yml'
  )
  for (const section of runbook.split(/^### /m).slice(1)) {
    for (const part of ['Look', 'Do', 'Tried'])
      t.match(section, `**${part}.**`, section.slice(0, section.indexOf('\n')))
  }
})
