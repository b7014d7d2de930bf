import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { METHODS } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { openMetrics } from '@latchkey/metrics/open'
import { measureRequests } from '@latchkey/metrics/requests'
import { Problem } from '@latchkey/problems/problem'
import t, { type Test } from 'tap'
import { type Frame, listen, startFrame } from '../../frame/test/frame.ts'
import { valuesOf } from './metrics.ts'

const NAME = 'http_server_request_duration_seconds_count'

async function start(t: Test) {
  const metrics = openMetrics({ groups: [], failed: () => {} })
  const frame: Frame = await startFrame(t, (app) => {
    measureRequests(app, metrics)
    app.get('/things/:id', async () => ({}))
    app.post('/things', async () => {
      throw new Problem('invalid_input')
    })
    app.get('/healthz', async () => ({}))
    app.get('/fault', async () => {
      throw new Error('a fault')
    })
  })
  return { ...frame, metrics }
}

t.test('requests are measured by method, pattern of the route and class of the status', async (t) => {
  const { send, metrics } = await start(t)
  for (const line of ['GET /things/1', 'GET /things/2', 'POST /things', 'GET /fault', 'GET /healthz']) await send(line)
  t.match(await valuesOf(metrics), {
    [`${NAME}{http_request_method="GET",http_route="/things/:id",status_class="2xx"}`]: 2,
    [`${NAME}{http_request_method="POST",http_route="/things",status_class="4xx"}`]: 1,
    [`${NAME}{http_request_method="GET",http_route="/fault",status_class="5xx"}`]: 1
  })
  t.notMatch(Object.keys(await valuesOf(metrics)).join(), 'healthz', 'probes are not')
})

t.test('a stranger adds no time series, whatever paths, methods, queries and headers they send', async (t) => {
  const { app, send, metrics } = await start(t)
  const port = await listen(app)
  const seriesOf = async () => Object.keys(await valuesOf(metrics)).sort()
  // What there can be of these routes: an answer, a refusal, a method that they lack; and no route.
  for (const line of ['GET /things/1', 'GET /things/1?a=b', 'HEAD /things/1?a=b', 'PUT /things/1', 'GET /nowhere']) {
    await send(line)
  }
  const before = await seriesOf()
  // What fetch sends: neither CONNECT nor TRACE.
  const methods = METHODS.filter((method) => !['CONNECT', 'TRACE'].includes(method))
  const strange = methods.flatMap((method) => [
    fetch(`http://127.0.0.1:${port}/${randomUUID()}`, { method }),
    fetch(`http://127.0.0.1:${port}/things/${randomUUID()}?${randomUUID()}`, {
      method,
      headers: { 'user-agent': randomUUID(), 'x-forwarded-for': '192.0.2.7' }
    })
  ])
  await Promise.all(strange)
  t.strictSame(await seriesOf(), before)
})

t.test('open connections are counted', async (t) => {
  const { app, metrics } = await start(t)
  const port = await listen(app)
  const countOf = async () => (await valuesOf(metrics))['latchkey_http_connections']
  const sockets = await Promise.all(
    [1, 2, 3].map(async () => {
      const socket = connect(port, '127.0.0.1')
      socket.write('GET /things/1 HTTP/1.1\r\nhost: a\r\n\r\n')
      await once(socket, 'data')
      return socket
    })
  )
  t.equal(await countOf(), 3)
  for (const socket of sockets) socket.destroy()
  while ((await countOf()) !== 0) await sleep(10)
  t.pass('and not when they have ended')
})
