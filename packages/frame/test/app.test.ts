import { once } from 'node:events'
import net from 'node:net'
import t from 'tap'
import { isProblem } from '../../testing/src/problem.ts'
import { MOST_OPEN } from '../src/connections/pipelining.ts'
import { health } from '../src/health.ts'
import { listen, startFrame } from './frame.ts'

t.test('every answer carries the headers that keep browsers strict', async (t) => {
  const { send } = await startFrame(t, (app) => void app.get('/', () => ({})))
  for (const line of ['GET /', 'GET /nothing', 'POST /']) {
    const { headers } = await send(line)
    t.match(
      headers,
      {
        'cache-control': 'no-store',
        'content-security-policy': "default-src 'none';frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
        'x-frame-options': /./,
        'referrer-policy': 'no-referrer'
      },
      line
    )
    t.strictSame(
      ['server', 'x-powered-by'].filter((name) => name in headers),
      [],
      `${line} names no software`
    )
  }
})

t.test('browsers are told to come by TLS alone only where that is known, and nothing of subdomains', async (t) => {
  const hsts = async (settings: { TRUST_PROXY?: string[]; usesTls?: boolean }, proto?: string) => {
    const { send } = await startFrame(t, () => {}, settings, settings)
    const answer = await send('GET /', { headers: { ...(proto && { 'x-forwarded-proto': proto }) } })
    return answer.headers['strict-transport-security']
  }
  const TRUST_PROXY = ['127.0.0.1']
  t.equal(await hsts({}), undefined)
  t.equal(await hsts({}, 'https'), undefined, 'said by whom nobody trusts')
  t.equal(await hsts({ TRUST_PROXY }, 'http'), undefined)
  t.equal(await hsts({ TRUST_PROXY, usesTls: true }, 'http'), undefined)
  t.equal(await hsts({ TRUST_PROXY }, 'https'), 'max-age=31536000')
  t.equal(await hsts({ usesTls: true }), 'max-age=31536000')
})

t.test('every request has an id of its own, which no client chooses', async (t) => {
  const { send, lines } = await startFrame(t, () => {})
  const headers = { 'request-id': 'mine', 'x-request-id': 'mine' }
  const [one, two] = [await send('GET /', { headers }), await send('GET /', { headers })]
  t.match(one.body.request_id, /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
  t.not(one.body.request_id, two.body.request_id)
  t.strictSame(
    lines.map(({ request_id }) => request_id),
    [one, one, two, two].map(({ body }) => body.request_id)
  )
})

t.test('a head of more than 16 KiB is refused, and the next request is served', async (t) => {
  const { app } = await startFrame(t, (app) => void app.get('/', () => ({})))
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const ask = (size: number) => fetch(url, { headers: { authorization: 'x'.repeat(size) } })
  t.equal((await ask(17 * 1024)).status, 431)
  t.equal((await ask(15 * 1024)).status, 200)
})

t.test('while it closes, open connections may bring one more request; without one they hold up no end', async (t) => {
  const { app } = await startFrame(t, (app) => void app.get('/', () => ({})))
  const port = await listen(app)
  const open = async () => {
    const accepted = once(app.server, 'connection')
    const socket = net.connect(port, '127.0.0.1').setEncoding('utf8')
    await accepted
    return socket
  }
  const greeting = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
  const [unused, late, idle, again] = [await open(), await open(), await open(), await open()]
  for (const socket of [idle, again]) {
    socket.write(greeting)
    t.match(await once(socket, 'data'), [/keep-alive/i])
  }
  const ended = Promise.all([unused, late, idle, again].map((socket) => once(socket, 'close')))
  const closed = app.close()
  while (app.server.listening) await new Promise((resolve) => setTimeout(resolve, 5))
  for (const socket of [late, again]) {
    socket.write(greeting)
    t.match(await once(socket, 'data'), [/^HTTP\/1\.1 200 .+\r\nconnection: close\r\n/is])
  }
  await Promise.all([closed, ended])
})

t.test('clients that the system connected before it stopped to listen are answered', async (t) => {
  const { app } = await startFrame(t, (app) => void app.get('/', () => ({})))
  const port = await listen(app)
  const sockets = Array.from({ length: 20 }, () => net.connect(port, '127.0.0.1').setEncoding('utf8'))
  const answers = sockets.map((socket) => once(socket.end('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), 'data'))
  await once(app.server, 'connection')
  await app.close()
  for (const answer of answers) t.match(await answer, [/^HTTP\/1\.1 200 /])
})

t.test('a client that ends its side when it has asked gets its answer', async (t) => {
  const { app } = await startFrame(t, (app) => {
    app.get('/', async () => {
      await new Promise((resolve) => setTimeout(resolve, 100))
      return {}
    })
  })
  const port = await listen(app)
  const socket = net.connect(port, '127.0.0.1').setEncoding('utf8')
  const closed = once(socket, 'close')
  socket.end('GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n')
  let answers = ''
  socket.on('data', (text) => {
    answers += text
  })
  await closed
  t.equal(answers.match(/HTTP\/1\.1 200 /g)?.length, 2)
})

t.test('while it closes, requests that came one behind the other on one connection are all answered', async (t) => {
  const answers = new Map<string, () => void>()
  const { app } = await startFrame(t, (app) => {
    app.get<{ Params: { name: string } }>('/:name', ({ params: { name } }) => {
      return new Promise((resolve) => answers.set(name, () => resolve({ name })))
    })
  })
  const port = await listen(app)
  const socket = net.connect(port, '127.0.0.1').setEncoding('utf8')
  let text = ''
  socket.on('data', (data) => (text += data))
  const ended = once(socket, 'close')
  const ask = async (name: string) => {
    socket.write(`GET /${name} HTTP/1.1\r\nHost: x\r\n\r\n`)
    while (!answers.has(name)) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await ask('first')
  const closed = app.close()
  while (app.server.listening) await new Promise((resolve) => setTimeout(resolve, 5))
  await ask('second')
  await ask('third')
  for (const answer of answers.values()) answer()
  await Promise.all([closed, ended])
  t.match(text, /"first".+"second".+connection: close.+"third"/s)
})

t.test('a connection may have a few requests open at once, and no more', async (t) => {
  const { app } = await startFrame(t, (app) => void app.get('/', () => new Promise((end) => setTimeout(end, 100, {}))))
  const port = await listen(app)
  const answers = (requests: number) =>
    new Promise<number>((resolve) => {
      let text = ''
      const socket = net.connect(port, '127.0.0.1').setEncoding('utf8')
      const count = () => text.split('HTTP/1.1 200 ').length - 1
      socket.on('data', (data) => {
        text += data
        if (count() === requests) socket.destroy()
      })
      socket.on('error', () => {}).on('close', () => resolve(count()))
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(requests))
    })
  t.equal(await answers(MOST_OPEN), MOST_OPEN)
  t.equal(await answers(MOST_OPEN + 1), 0)
})

t.test('two messages in one are never taken for one', async (t) => {
  const { app, lines } = await startFrame(t, (app) => {
    app.post('/', () => ({}))
    app.get('/smuggled', () => ({}))
  })
  const port = await listen(app)
  const type = 'Content-Type: application/json'
  const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n'
  const messages = {
    'both lengths': `POST / HTTP/1.1\r\nHost: x\r\n${type}\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    'two lengths': `POST / HTTP/1.1\r\nHost: x\r\n${type}\r\nContent-Length: 2\r\nContent-Length: 40\r\n\r\n{}${smuggled}`,
    'an odd encoding': `POST / HTTP/1.1\r\nHost: x\r\n${type}\r\nTransfer-Encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n${smuggled}`,
    'a space before the colon': `POST / HTTP/1.1\r\nHost: x\r\n${type}\r\nContent-Length : 2\r\n\r\n{}${smuggled}`
  }
  for (const [name, bytes] of Object.entries(messages)) {
    const answer = await new Promise<string>((resolve) => {
      let text = ''
      const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes))
      socket
        .on('data', (data) => (text += data))
        .on('close', () => resolve(text))
        .on('error', () => resolve(text))
    })
    t.match(answer, /^HTTP\/1\.1 400 /, name)
  }
  t.strictSame(
    lines.filter(({ req }) => (req as { path?: string } | undefined)?.path === '/smuggled'),
    []
  )
})

t.test('readiness says no more than that there is none; the log says why', async (t) => {
  let reason: string | undefined
  const { send, lines } = await startFrame(t, (app) => health(app, async () => reason))
  for (const path of ['/healthz', '/readyz']) t.strictSame((await send(`GET ${path}`)).body, { status: 'ok' })
  reason = 'the keys are at the cleaners'
  const answer = await send('GET /readyz')
  isProblem(t, answer, 'unavailable')
  t.notMatch(JSON.stringify(answer.body), 'cleaners')
  t.match(lines.at(-2), { level: 'error', code: 'unavailable', msg: 'not ready: the keys are at the cleaners' })
  t.equal((await send('GET /healthz')).status, 200)
})
