import { once } from 'node:events'
import net from 'node:net'
import t from 'tap'
import { Type } from 'typebox'
import { listen, startFrame } from './frame.ts'

const { app } = await startFrame(t, (app) => {
  app.get('/none', ({ body }) => ({ body: body ?? null }))
  app.post('/none', ({ body }) => ({ body: body ?? null }))
  app.delete('/none', ({ body }) => ({ body: body ?? null }))
  app.post('/some', { schema: { body: Type.Object({ a: Type.Integer() }) } }, ({ body }) => ({ body }))
})
const port = await listen(app)

/** Sends these header lines and this body, as they stand. */
async function send(line: string, headers: readonly string[], body = ''): Promise<{ status: number; text: string }> {
  const socket = net.connect(port, '127.0.0.1').setEncoding('utf8')
  let text = ''
  socket.on('data', (data) => (text += data))
  socket.write([`${line} HTTP/1.1`, 'Host: x', 'Connection: close', ...headers, '', body].join('\r\n'))
  await once(socket, 'close')
  return { status: Number(text.split(' ')[1]), text }
}

const TYPES = [
  'application/x-www-form-urlencoded',
  'application/json',
  'application/json; charset=utf-8',
  'text/plain',
  'text/plain;charset=UTF-8',
  'multipart/form-data',
  'multipart/form-data; boundary=x',
  'application/octet-stream',
  '*/*',
  'rubbish',
  ''
]
// What clients and proxies send where there is nothing to send: a length, chunks, or neither of them.
const NO_BYTES: [framing: string[], body: string][] = [
  [[], ''],
  [['Content-Length: 0'], ''],
  [['Transfer-Encoding: chunked'], '0\r\n\r\n'],
  [['Transfer-Encoding: chunked'], '0\r\nTrailer: x\r\n\r\n']
]
const typeLines = [[], ...TYPES.map((type) => [`Content-Type: ${type}`])]

t.test('no bytes are no body, whatever is said of their type and however they are framed', async (t) => {
  for (const type of typeLines) {
    for (const [framing, body] of NO_BYTES) {
      for (const line of ['POST /none', 'DELETE /none', 'GET /none']) {
        const { status, text } = await send(line, [...type, ...framing], body)
        t.match({ status, text }, { status: 200, text: /"body":null/ }, `${line} ${[...type, ...framing]}`)
      }
    }
  }
})

t.test('an endpoint that takes a body says that it is missing, whatever is said of its type', async (t) => {
  for (const type of typeLines) {
    for (const [framing, body] of NO_BYTES) {
      const { status, text } = await send('POST /some', [...type, ...framing], body)
      t.match(
        { status, text },
        { status: 400, text: /"field":"body","message":"is required"/ },
        `${[...type, ...framing]}`
      )
    }
  }
})

t.test('bytes of another type than JSON are 415, and of no endpoint 404', async (t) => {
  const bytes = ['Content-Length: 1']
  const chunks = ['Transfer-Encoding: chunked']
  for (const type of typeLines.filter(([line = '']) => !/json/.test(line))) {
    for (const path of ['/none', '/some']) {
      t.equal((await send(`POST ${path}`, [...type, ...bytes], 'x')).status, 415, `${path} ${type}`)
      t.equal((await send(`POST ${path}`, [...type, ...chunks], '1\r\nx\r\n0\r\n\r\n')).status, 415, `${path} ${type}`)
    }
    t.equal((await send('POST /nothing', [...type, ...bytes], 'x')).status, 404, `${type}`)
  }
  const json = 'Content-Type: application/json'
  t.match(await send('POST /none', [json, 'Content-Length: 2'], '{}'), { status: 200, text: /"body":\{\}/ })
  t.match(await send('POST /some', [json, 'Content-Length: 7'], '{"a":1}'), { status: 200, text: /"body":\{"a":1\}/ })
  t.match(await send('POST /some', [json, 'Content-Length: 1'], ' '), { status: 400, text: /must be JSON/ })
  t.match(await send('POST /some', [json, 'Content-Length: 4'], 'null'), { status: 400, text: /must be object/ })
})
