import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { METRICS } from '@latchkey/metrics/list'
import t from 'tap'
import type { Metric } from '../src/definition.ts'

const DOCS = fileURLToPath(new URL('../../../docs/metrics.md', import.meta.url))

const all = Object.entries(METRICS).flatMap(([group, metrics]) =>
  Object.entries<Metric>(metrics).map(([name, metric]) => ({ group, name, ...metric }))
)

t.test('names follow the conventions of Prometheus', async (t) => {
  t.equal(new Set(all.map(({ name }) => name)).size, all.length, 'each once')
  for (const { name, type, help } of all) {
    t.match(name, /^(latchkey|http_server)_[a-z][a-z_]*$/, name)
    t.equal(name.endsWith('_total'), type === 'counter', `${name}: a counter, and nothing else, ends in _total`)
    t.notMatch(name, /milli|micro|minute|hour|_ms\b/, `${name}: base units`)
    t.match(help, /^[A-Z0-9].*\.$/, `${name}: a sentence`)
  }
})

t.test('a histogram has at most eleven buckets, which ascend; nothing else has any', async (t) => {
  for (const { name, type, buckets = [] } of all) {
    t.equal(buckets.length > 0, type === 'histogram', name)
    t.ok(buckets.length <= 11, name)
    t.strictSame(
      buckets,
      [...buckets].sort((a, b) => a - b),
      name
    )
  }
})

t.test('docs/metrics.md has the same table', async (t) => {
  const text = await readFile(DOCS, 'utf8')
  const rows = [...text.matchAll(/^\| `(\w+)` \| (\w+) \| (.*?) \| (.+) \|$/gm)].map(([, ...row]) => row)
  t.strictSame(
    rows,
    all.map(({ name, type, labels = {}, help }) => [name, type, labelsOf(labels), help])
  )
})

function labelsOf(labels: NonNullable<Metric['labels']>): string {
  return Object.entries(labels)
    .map(([label, values]) => (values === 'open' ? `\`${label}\`` : `\`${label}\`: ${values.join(', ')}`))
    .join('; ')
}
