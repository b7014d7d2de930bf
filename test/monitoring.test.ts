// A real Prometheus looks at the real services while they work: every question of the dashboard and of the alerts has an answer.
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { SKIPS_REDIS } from '@latchkey/testing/redis-server'
import t from 'tap'
import { lintMetrics, MONITORING, readAlerts, SKIPS_PROMETHEUS } from './prometheus.ts'
import { buildFirst } from './scripts/build-first.ts'
import { live, startWatched } from './watched.ts'

/** Longest time until a question has an answer, in milliseconds; what it counts has to be scraped twice. */
const LONGEST_WAIT = 60_000

/** What prom-client names otherwise than Prometheus wants it. */
const OF_PROM_CLIENT =
  /^nodejs_active_(handles|requests|resources)_total non-counter metrics should not have "_total" suffix$/

interface Panel {
  readonly title: string
  readonly targets?: readonly { readonly expr: string }[]
}

t.test('a Prometheus that watches the services', { skip: SKIPS_PROMETHEUS || SKIPS_REDIS }, async (t) => {
  await buildFirst()
  const watched = await startWatched(t)
  const { prometheus, targets } = watched
  const living = { goesOn: true }
  const lives = liveOn()
  t.teardown(async () => {
    living.goesOn = false
    await lives
  })

  async function liveOn() {
    // A busy machine refuses some of it, and that is something to count too.
    while (living.goesOn) await live(watched).catch(() => sleep(100))
  }

  /** The rows of an expression, as soon as it has any; none if that takes too long. */
  async function rowsOf(expr: string) {
    const deadline = Date.now() + LONGEST_WAIT
    for (;;) {
      const rows = await prometheus.query(expr)
      if (rows.length > 0 || Date.now() > deadline) return rows
      await sleep(250)
    }
  }

  await t.test('promtool finds no fault in the page of a service', async (t) => {
    for (const [name, address] of Object.entries(targets)) {
      const answer = await fetch(`http://${address}/metrics`)
      t.equal(answer.status, 200, name)
      const ours = (await lintMetrics(await answer.text())).filter((line) => !OF_PROM_CLIENT.test(line))
      t.strictSame(ours, [], name)
    }
  })

  await t.test('each question of the dashboard has rows', async (t) => {
    const { panels }: { panels: Panel[] } = JSON.parse(await readFile(`${MONITORING}dashboard.json`, 'utf8'))
    for (const { title, targets = [] } of panels) {
      for (const { expr } of targets) {
        // While all is well there are none; the last part of this test has some.
        if (expr.startsWith('ALERTS{')) continue
        const asked = expr.replaceAll('$instance', '.*').replaceAll('$__rate_interval', '10s')
        t.ok((await rowsOf(asked)).length > 0, `${title}: ${asked}`)
      }
    }
    const instances = await rowsOf('up{job=~"latchkey-.+"} == 1')
    t.strictSame(instances.map(({ metric }) => metric['instance']).sort(), Object.values(targets).sort())
  })

  await t.test('each rule is judged without an error', async (t) => {
    const rules = await prometheus.rules()
    t.strictSame(rules.map(({ name }) => name).sort(), (await readAlerts()).map(({ name }) => name).sort())
    t.strictSame(
      rules.filter(({ health }) => health !== 'ok'),
      []
    )
  })

  await t.test('a service that has gone is told of', async (t) => {
    living.goesOn = false
    await lives
    await watched.resource.stop()
    const rows = await rowsOf('ALERTS{alertname=~"Latchkey.+", alertname="LatchkeyServiceDown", alertstate="pending"}')
    t.strictSame(
      rows.map(({ metric }) => metric['job']),
      ['latchkey-resource']
    )
  })
})
