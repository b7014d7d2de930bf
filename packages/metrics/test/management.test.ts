import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { listenForScrapes } from '@latchkey/metrics/management'
import { openMetrics } from '@latchkey/metrics/open'
import t, { type Test } from 'tap'
import { freePort } from '../../../scripts/free-port.mjs'

async function start(t: Test, fails = false) {
  const metrics = openMetrics({ groups: [], failed: () => {} })
  if (fails) metrics.scrape = () => Promise.reject(new Error('no memory'))
  const port = await freePort()
  const listener = await listenForScrapes(metrics, { host: '127.0.0.1', port })
  t.teardown(() => listener.close())
  return { url: `http://127.0.0.1:${port}`, port, listener }
}

t.test('GET and HEAD /metrics are answered in the format of Prometheus', async (t) => {
  const { url } = await start(t)
  const answer = await fetch(`${url}/metrics?name[]=x`)
  t.equal(answer.status, 200)
  t.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
  t.match(await answer.text(), /^# HELP process_cpu_seconds_total/m)
  const head = await fetch(`${url}/metrics`, { method: 'HEAD' })
  t.equal(head.status, 200)
  t.equal(await head.text(), '')
})

t.test('anything else is refused in words', async (t) => {
  const { url } = await start(t)
  for (const path of ['/', '/metrics/', '/Metrics', '/healthz', '/..%2fmetrics']) {
    const answer = await fetch(url + path)
    t.equal(answer.status, 404, path)
    t.equal(await answer.text(), 'There is only /metrics here.\n')
  }
  const posted = await fetch(`${url}/metrics`, { method: 'POST', body: 'x' })
  t.equal(posted.status, 405)
  t.equal(posted.headers.get('allow'), 'GET, HEAD')
})

t.test('metrics that cannot be made are 500, and the listener goes on', async (t) => {
  const { url } = await start(t, true)
  for (const _ of [1, 2]) {
    const answer = await fetch(`${url}/metrics`)
    t.equal(answer.status, 500)
    t.match(await answer.text(), 'no memory')
  }
})

t.test('a port that is taken and a host that is none are said with the name of the setting', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => taken.close())
  const { port } = taken.address() as { port: number }
  const metrics = openMetrics({ groups: [], failed: () => {} })
  await t.rejects(listenForScrapes(metrics, { host: '127.0.0.1', port }), { message: /set another MANAGEMENT_PORT/ })
  await t.rejects(listenForScrapes(metrics, { host: '192.0.2.1', port: await freePort() }), {
    message: /^MANAGEMENT_HOST is no address of this machine/
  })
  await t.rejects(listenForScrapes(metrics, { host: 'no.such.host.invalid', port: await freePort() }), {
    message: /^MANAGEMENT_HOST is no address of this machine/
  })
})

t.test('connections that send nothing keep nobody out for long', async (t) => {
  const { url, port } = await start(t)
  const silent = Array.from({ length: 80 }, () => connect(port, '127.0.0.1').on('error', () => {}))
  t.teardown(() => {
    for (const socket of silent) socket.destroy()
  })
  // Those above the limit are closed at once, the others when their request did not come in time.
  await Promise.all(silent.map((socket) => once(socket.resume(), 'close')))
  t.equal((await fetch(`${url}/metrics`)).status, 200)
})

t.test('after the end nothing listens, and no connection stays', async (t) => {
  const { url, port, listener } = await start(t)
  const open = connect(port, '127.0.0.1')
  await once(open, 'connect')
  listener.close()
  await once(open.resume(), 'close')
  await t.rejects(fetch(`${url}/metrics`))
})
