import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { Problem } from '@latchkey/problems/problem'
import t from 'tap'
import { listen, startFrame } from './frame.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const GOOD = `00-${TRACE}-00f067aa0ba902b7-01`

const start = (t: Parameters<typeof startFrame>[0]) =>
  startFrame(t, (app) => {
    app.get('/tea', async (request) => {
      request.log.info('the kettle is on')
      return {}
    })
    app.get('/wrong', async () => {
      throw new Problem('invalid_token')
    })
    app.get('/fault', async () => {
      throw new Error('a fault of the program')
    })
  })

t.test('every line of a request has the id of its trace', async (t) => {
  const { send, lines } = await start(t)
  const expected = { '/tea': 2, '/wrong': 2, '/fault': 2, '/nowhere': 2, '/%': 2 }
  for (const [path, count] of Object.entries(expected)) {
    lines.length = 0
    await send(`GET ${path}`, { headers: { traceparent: GOOD } })
    t.same(
      lines.map(({ trace_id, request_id }) => [trace_id, typeof request_id]),
      Array.from({ length: count }, () => [TRACE, 'string']),
      path
    )
  }
})

t.test('a request has none without the header, and with a malformed one', async (t) => {
  const { send, lines } = await start(t)
  await send('GET /tea')
  await send('GET /tea', { headers: { traceparent: TRACE } })
  await send('GET /tea', { headers: { traceparent: GOOD.toUpperCase() } })
  t.equal(lines.length, 6)
  t.notOk(lines.some((line) => 'trace_id' in line))
  t.notMatch(JSON.stringify(lines), new RegExp(TRACE, 'i'))
})

t.test('whatever a stranger sends, the log gets 32 hex digits or nothing', async (t) => {
  const { app, lines } = await start(t)
  const port = await listen(app)
  const answerTo = async (headers: string[]) => {
    lines.length = 0
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.write(['GET /tea HTTP/1.1', 'Host: a', 'Connection: close', ...headers, '', ''].join('\r\n'))
    const status = /^HTTP\/1\.1 (\d+)/.exec(await text(socket))?.[1]
    return [status, ...new Set(lines.map(({ trace_id }) => trace_id)), JSON.stringify(lines).length < 1000]
  }
  const header = `traceparent: ${GOOD}`
  t.same(await answerTo([header]), ['200', TRACE, true])
  t.same(await answerTo([`TraceParent:  \t${GOOD}\t `]), ['200', TRACE, true], 'space around a value is none of it')
  t.same(await answerTo([header, header]), ['200', undefined, true], 'two are none')
  t.same(await answerTo(Array.from({ length: 100 }, () => header)), ['200', undefined, true])
  t.same(await answerTo([`traceparent: ${'f'.repeat(15_000)}`]), ['200', undefined, true])
  t.same(await answerTo([`traceparent: 01-${GOOD.slice(3)}-${'f'.repeat(15_000)}`]), ['200', undefined, true])
  t.same((await answerTo([`traceparent: ${'f'.repeat(100_000)}`]))[0], '431')
})
