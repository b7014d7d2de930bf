import net from 'node:net'
import t, { type Test } from 'tap'
import { listen, startFrame } from './frame.ts'

const H = 'Host: x\r\n'
const GET = `GET / HTTP/1.1\r\n${H}\r\n`
const CHUNKED = `POST / HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\n\r\n`
const TOO_LARGE = `GET / HTTP/1.1\r\n${H}Origin: capacitor://localhost\r\nA: ${'a'.repeat(17_000)}\r\n\r\n`
const head = (lines: string) => `POST / HTTP/1.1\r\n${H}${lines}\r\n\r\n`

/** What was sent, and the statuses of all that is answered until the connection ends. */
const TABLE: [name: string, bytes: string, ...statuses: number[]][] = [
  ['a chunk size that is a word', `${CHUNKED}blegh\r\n\r\n`, 400],
  ['a chunk size with a sign', `${CHUNKED}-0x0\r\n\r\n`, 400],
  ['a chunk size with 0x', `${CHUNKED}0x0\r\n\r\n`, 400],
  ['a chunk size with a blank before', `${CHUNKED} 0\r\n\r\n`, 400],
  ['a chunk size with an underscore', `${CHUNKED}0_0\r\n\r\n`, 400],
  ['a chunk size without end', `${CHUNKED}ffffffffffffffffff\r\na`, 400],
  ['a chunk size and a bare LF', `${CHUNKED}0\n\n`, 400],
  ['a chunk extension with a bare LF', `${CHUNKED}1;\n\r\na\r\n0\r\n\r\n`, 400],
  ['a trailer that is none', `${CHUNKED}0\r\na b\r\n\r\n`, 400],
  ['a chunk extension', `${CHUNKED}0;a=b\r\n\r\nblegh`, 200],
  ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
  ['no Host, and rubbish behind', 'GET / HTTP/1.1\r\n\r\nblegh\r\n\r\n', 400],
  ['no Host, and a request behind', `GET / HTTP/1.1\r\n\r\n${GET}`, 400],
  ['two Hosts', `GET / HTTP/1.1\r\n${H}host: y\r\n\r\n`, 400],
  ['two equal Hosts', `GET / HTTP/1.1\r\n${H}${H}\r\n`, 400],
  ['two Hosts in HTTP/1.0', `GET / HTTP/1.0\r\n${H}${H}\r\n`, 400],
  ['a Host that is none', 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n', 400],
  ['a Host with a path', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', 400],
  ['a Host with a user', 'GET / HTTP/1.1\r\nHost: a@b\r\n\r\n', 400],
  ['rubbish', 'blegh\r\n\r\n', 400],
  ['rubbish behind a request', `${GET}blegh\r\n\r\n`, 200],
  ['rubbish behind two requests', `${GET}${GET}blegh\r\n\r\n`, 200, 200],
  ['rubbish behind a refusal', `GET /nothing HTTP/1.1\r\n${H}\r\nblegh\r\n\r\n`, 404],
  ['rubbish behind a request that takes its time', `GET /held HTTP/1.1\r\n${H}\r\nblegh\r\n\r\n`, 200],
  ['rubbish behind a body', `${head('Content-Type: application/json\r\nContent-Length: 2')}{}blegh\r\n\r\n`, 200],
  ['a header in two lines', `GET / HTTP/1.1\r\n${H}A: b\r\n c\r\n\r\n`, 400],
  ['two lengths', `${head('Content-Length: 1\r\nContent-Length: 2')}aa`, 400],
  ['a list of lengths', `${head('Content-Length: 1, 1')}aa`, 400],
  ['a length with a sign', `${head('Content-Length: +1')}a`, 400],
  ['a length and chunks', `${head('Content-Length: 1\r\nTransfer-Encoding: chunked')}0\r\n\r\n`, 400],
  ['chunks inside another encoding', `${head('Transfer-Encoding: chunked, identity')}0\r\n\r\n`, 400],
  ['bare LF', 'GET / HTTP/1.1\nHost: x\n\n', 400],
  ['bare CR', 'GET / HTTP/1.1\rHost: x\r\r', 400],
  ['NUL in a header', `GET / HTTP/1.1\r\n${H}A: \0\r\n\r\n`, 400],
  ['NUL in a name', `GET / HTTP/1.1\r\n${H}A\0: a\r\n\r\n`, 400],
  ['a blank before the colon', `GET / HTTP/1.1\r\n${H}A : a\r\n\r\n`, 400],
  ['a header without a colon', `GET / HTTP/1.1\r\n${H}A\r\n\r\n`, 400],
  ['a blank in the target', `GET /a b HTTP/1.1\r\n${H}\r\n`, 400],
  ['another version', `GET / HTTP/9.9\r\n${H}\r\n`, 400],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ['TLS', '\x16\x03\x01\x02\x00\x01\x00', 400],
  ['a method that is none', `BLEGH / HTTP/1.1\r\n${H}\r\n`, 400],
  ['CONNECT', `CONNECT x:443 HTTP/1.1\r\n${H}\r\n`, 400],
  ['a whole URL as target', `GET http://x/ HTTP/1.1\r\n${H}Connection: close\r\n\r\n`, 200],
  ['an expectation that nobody knows', head('Expect: blegh\r\nContent-Length: 0\r\nConnection: close'), 200],
  ['a wish for HTTP/2', `GET / HTTP/1.1\r\n${H}Upgrade: h2c\r\nConnection: upgrade, close\r\n\r\n`, 200],
  ['too large a head', TOO_LARGE, 431],
  ['too large a head behind a request', `${GET}${TOO_LARGE}`, 200, 431]
]

const ROUNDS = 10

const { app } = await startFrame(
  t,
  (app) => {
    app.get('/', () => ({}))
    app.post('/', () => ({}))
    app.get('/held', () => new Promise((resolve) => setTimeout(resolve, 50, {})))
  },
  { CORS_ORIGINS: ['capacitor://localhost'] }
)
const port = await listen(app)

/** Sends these parts, each when the one before has left, and returns all that comes until the service ends the connection. */
function send(...parts: string[]): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
    socket
      .on('data', (data) => (text += data))
      .on('error', () => {})
      .on('close', () => resolve(text))
      .on('connect', async () => {
        for (const part of parts) await new Promise((sent) => socket.write(part, 'latin1', sent))
      })
  })
}

function answersOf(text: string): { status: number; head: string; body: string }[] {
  const answers = text.split(/(?=HTTP\/1\.1 \d)/)
  return answers.map((answer) => {
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    return { status: Number(answer.split(' ')[1]), head, body }
  })
}

function isWhole(t: Test, text: string, name: string): void {
  for (const { status, head, body } of answersOf(text)) {
    t.match(head, /^x-content-type-options: nosniff$/m, `${name}: as strict as every answer`)
    t.match(head, /^cache-control: no-store$/m)
    if (status === 431) t.match(head, /^access-control-allow-origin: capacitor:\/\/localhost$/m, 'a page may read it')
    if (status === 400 || status === 404) {
      t.match(head, /^content-type: application\/problem\+json$/m, name)
      t.match(JSON.parse(body), { status, code: status === 400 ? 'invalid_input' : 'not_found', request_id: String })
    }
  }
  const last = answersOf(text).at(-1)
  if (last?.status !== 200) t.match(last?.head, /^connection: close$/m, name)
}

t.test('each request has one answer, what is none has one, and then the connection ends', async (t) => {
  for (const [name, bytes, ...statuses] of TABLE) {
    const answers = await Promise.all(Array.from({ length: ROUNDS }, () => send(bytes)))
    const seen = answers.map((text) => answersOf(text).map(({ status }) => status))
    t.strictSame(seen, Array(ROUNDS).fill(statuses), name)
    isWhole(t, answers[0] ?? '', name)
  }
})

t.test('so it is when the bytes come in pieces', async (t) => {
  for (const [name, bytes, ...statuses] of TABLE) {
    for (const at of [1, Math.floor(bytes.length / 2), bytes.length - 5]) {
      const text = await send(bytes.slice(0, at), bytes.slice(at))
      t.strictSame(
        answersOf(text).map(({ status }) => status),
        statuses,
        `${name}, in two at ${at}`
      )
    }
  }
})

t.test('who ends in the middle of a body is told, and who has ended is not told twice', async (t) => {
  const cut = head('Content-Type: application/json\r\nContent-Length: 10')
  const text = await new Promise<string>((resolve) => {
    let text = ''
    const socket = net.connect(port, '127.0.0.1', () => socket.end(`${cut}{`))
    socket.on('data', (data) => (text += data)).on('close', () => resolve(text))
  })
  t.strictSame(
    answersOf(text).map(({ status }) => status),
    [400]
  )
})

t.test('a broken body begins nothing, and a refusal of what is no request is logged under its id', async (t) => {
  let begun = 0
  const frame = await startFrame(t, (app) => void app.post('/', () => ({ begun: ++begun })))
  const other = await listen(frame.app)
  const ask = (bytes: string) =>
    new Promise<string>((resolve) => {
      let text = ''
      const socket = net.connect(other, '127.0.0.1', () => socket.write(bytes))
      socket.on('data', (data) => (text += data)).on('close', () => resolve(text))
    })
  await ask(`${CHUNKED}1\r\na\r\nblegh\r\n`)
  t.equal(begun, 0)
  t.notMatch(JSON.stringify(frame.lines), /internal_error|FST_ERR_REP_ALREADY_SENT/)
  const [refused] = answersOf(await ask('blegh\r\n\r\n'))
  const { request_id } = JSON.parse(refused?.body ?? '')
  t.match(frame.lines.at(-1), { level: 'info', request_id, status: 400, reason: /^HPE_/ })
})
