import { channel } from 'node:diagnostics_channel'
import { countEvents } from '../../packages/metrics/dist/counted.js'
import { openMetrics } from '../../packages/metrics/dist/open.js'
import { freePort } from '../../scripts/free-port.mjs'
import { interleaved, load } from '../measure.mjs'
import { cpuSeconds } from '../memory.mjs'
import { accessTokens, createPeople } from '../people.mjs'
import { below } from '../table.mjs'

/** Microseconds of a request that is measured, and of an event that is counted; milliseconds of a scrape. */
const REQUEST = 2
const EVENT = 2
const SCRAPE = 30

const GREETINGS = 20_000
const TIMES = 200_000
const SCRAPES = 50

/** What metrics cost: the CPU of a greeting with and without them, of a request, of an event, and of a scrape. */
export async function metricsCost({ pair, rounds, quick }) {
  const port = await freePort()
  const auth = await pair.startAuth(await createPeople(pair, 1), undefined, 'load')
  const measured = await pair.startResource('server', [], { MANAGEMENT_PORT: String(port) })
  const without = await pair.startResource()
  const tokens = await accessTokens(pair, 50)
  const amount = quick ? 500 : GREETINGS
  const greet = async (/** @type {{ url: string, pid?: number }} */ { url, pid }) => {
    const before = cpuSeconds(pid)
    await load({ url, path: '/greet', tokens, connections: 20, amount })
    return { value: ((cpuSeconds(pid) - before) / amount) * 1e6 }
  }
  const page = `http://127.0.0.1:${port}/metrics`
  // As a Prometheus that scrapes each second.
  const scraping = setInterval(() => void fetch(page).then((answer) => answer.text()), 1000)
  const greetings = await interleaved(
    { measured: () => greet(measured), without: () => greet(without) },
    { rounds, warm: 1 }
  )
  clearInterval(scraping)

  const before = cpuSeconds(measured.pid)
  for (let n = 0; n < SCRAPES; n += 1) await (await fetch(page)).text()
  const scrape = { value: ((cpuSeconds(measured.pid) - before) / SCRAPES) * 1000 }
  await Promise.all([measured, without, auth].map(({ stop }) => stop()))

  const { request, event } = costs()
  return [
    {
      what: 'CPU of a greeting, scraped each second',
      unit: 'µs',
      ours: greetings.measured,
      beside: 'without metrics',
      other: greetings.without
    },
    { what: 'measuring a request', unit: 'µs', ours: [request], ...below(REQUEST) },
    { what: 'counting an event', unit: 'µs', ours: [event], ...below(EVENT) },
    { what: 'CPU of a scrape', unit: 'ms', ours: [scrape], ...below(SCRAPE) }
  ]
}

// In this process, as the services do it.
function costs() {
  const metrics = openMetrics({ groups: ['auth'], failed: () => {} })
  countEvents(metrics, ['common', 'auth'])
  const told = channel('latchkey:event')
  const labels = ['/greet', '/welcome', '/gate', ''].map((http_route) => ({
    http_request_method: 'GET',
    http_route,
    status_class: '2xx'
  }))
  return {
    request: timeOf((n) => metrics.observe('http_server_request_duration_seconds', 0.0007, { ...labels[n % 4] })),
    event: timeOf(() => told.publish({ name: 'refresh', fields: { user: 'u', session: 's', shown: 3, current: 4 } }))
  }
}

/** @param {(n: number) => void} work */
function timeOf(work) {
  for (let n = 0; n < TIMES; n += 1) work(n)
  const begun = performance.now()
  for (let n = 0; n < TIMES; n += 1) work(n)
  return { value: ((performance.now() - begun) / TIMES) * 1000 }
}
