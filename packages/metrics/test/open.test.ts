import { openMetrics, type Reader } from '@latchkey/metrics/open'
import t from 'tap'
import { valuesOf } from './metrics.ts'

function open(failures: unknown[] = []) {
  return openMetrics({ groups: ['auth', 'verifier'], failed: (error) => failures.push(error) })
}

t.test('a counter begins at 0 with each value of its closed labels', async (t) => {
  const values = await valuesOf(open())
  t.equal(values['latchkey_logins_total{outcome="ok"}'], 0)
  t.equal(values['latchkey_logins_total{outcome="limited_address"}'], 0)
  t.equal(values['latchkey_password_jobs_refused_total'], 0)
  t.equal(values['latchkey_password_wait_seconds_count'], 0)
  t.notOk(
    Object.keys(values).some((name) => name.startsWith('latchkey_refusals_total')),
    'open labels have none'
  )
})

t.test('what is added and observed is there', async (t) => {
  const metrics = open()
  metrics.add('latchkey_logins_total', { outcome: 'ok' })
  metrics.add('latchkey_logins_total', { outcome: 'ok' }, 2)
  metrics.observe('latchkey_password_wait_seconds', 0.3)
  const values = await valuesOf(metrics)
  t.equal(values['latchkey_logins_total{outcome="ok"}'], 3)
  t.equal(values['latchkey_password_wait_seconds_bucket{le="0.25"}'], 0)
  t.equal(values['latchkey_password_wait_seconds_bucket{le="0.5"}'], 1)
  t.equal(values['latchkey_password_wait_seconds_sum'], 0.3)
})

t.test(
  'a reader sets what is so at the scrape: a gauge that it leaves out is missing, a counter has its total',
  async (t) => {
    const metrics = open()
    let read: Parameters<typeof metrics.read>[0] = (set) => {
      set('latchkey_feed_age_seconds', 3)
      set('latchkey_jwks_state', 1, { state: 'good' })
      set('latchkey_feed_received_total', 7)
    }
    metrics.read((set) => read(set))
    t.match(await valuesOf(metrics), {
      latchkey_feed_age_seconds: 3,
      'latchkey_jwks_state{state="good"}': 1,
      latchkey_feed_received_total: 7
    })
    read = (set) => set('latchkey_feed_received_total', 9)
    const later = await valuesOf(metrics)
    t.equal(later['latchkey_feed_received_total'], 9)
    t.notOk('latchkey_feed_age_seconds' in later)
    t.notOk('latchkey_jwks_state{state="good"}' in later)
  }
)

t.test('a reader that fails leaves out its own metrics, and is told once until it works again', async (t) => {
  const failures: unknown[] = []
  const metrics = open(failures)
  let isAway = true
  metrics.read(async (set) => {
    if (isAway) throw new Error('away')
    set('latchkey_mail_outbox', 4)
  })
  metrics.read((set) => set('latchkey_password_threads', 2))
  for (const _ of [1, 2]) {
    const values = await valuesOf(metrics)
    t.notOk('latchkey_mail_outbox' in values)
    t.equal(values['latchkey_password_threads'], 2)
  }
  t.match(failures, [{ message: 'away' }])
  t.equal(failures.length, 1)
  isAway = false
  t.equal((await valuesOf(metrics))['latchkey_mail_outbox'], 4)
  isAway = true
  await metrics.scrape()
  t.equal(failures.length, 2)
})

t.test('who asks while the metrics are read gets the same answer', async (t) => {
  const metrics = open()
  let reads = 0
  let release = () => {}
  const reader: Reader = async () => {
    reads += 1
    await new Promise<void>((resolve) => {
      release = resolve
    })
  }
  metrics.read(reader)
  const scrapes = Array.from({ length: 1000 }, () => metrics.scrape())
  release()
  t.equal(new Set(await Promise.all(scrapes)).size, 1)
  t.equal(reads, 1)
})

t.test('a metric of another service is a mistake of the program', async (t) => {
  const metrics = open()
  t.throws(() => metrics.add('latchkey_messages_total'), { name: 'TypeError', message: /latchkey_messages_total/ })
})

t.test('it has what Node says of itself', async (t) => {
  const page = await open().scrape()
  for (const name of [
    'nodejs_eventloop_lag_p99_seconds',
    'process_resident_memory_bytes',
    'nodejs_heap_size_used_bytes'
  ]) {
    t.match(page, new RegExp(`^${name} [0-9.e+-]+$`, 'm'), name)
  }
})
