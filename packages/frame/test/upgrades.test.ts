// Raw sockets: what clients of a higher level would not send, or not show.
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { Problem } from '@latchkey/problems/problem'
import type { FastifyReply, FastifyRequest } from 'fastify'
import t, { type Test } from 'tap'
import { openRaw, sendRaw } from '../../testing/src/raw-http.ts'
import type { App } from '../src/app-type.ts'
import { listen, startFrame } from './frame.ts'

const ORIGIN = 'https://page.example'
const HANDSHAKE = ['Connection: Upgrade', 'Upgrade: websocket']

/** An app with one path for handshakes, which refuses those with the query `no`, and two others. */
async function startUpgrades(t: Test) {
  const taken: Socket[] = []
  const frame = await startFrame(
    t,
    (app) => {
      app.upgrades.allow('/ws')
      app.get(
        '/ws',
        { exposeHeadRoute: false, onRequest: async (request, reply) => answer(app, request, reply) },
        () => {}
      )
      app.get('/', () => 'read')
      app.post('/', async ({ body }) => body)
      app.get('/slow', () => slow)
    },
    { CORS_ORIGINS: [ORIGIN] }
  )
  let release: (text: string) => void = () => {}
  const slow = new Promise<string>((resolve) => {
    release = resolve
  })
  function answer(app: App, request: FastifyRequest, reply: FastifyReply) {
    if (!app.upgrades.of(request)) throw new Problem('upgrade_required')
    if (request.raw.url?.includes('no')) throw new Problem('cross_site')
    const { socket, head } = app.upgrades.take(reply)
    taken.push(socket)
    t.teardown(() => void socket.destroy())
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n\r\nyou said ${head.toString()}.`)
  }
  const port = await listen(frame.app)
  const answered = () => frame.lines.filter(({ msg }) => msg === 'answered')
  return { ...frame, port, taken, answered, release: (text: string) => release(text) }
}

/** Sends a text on a connection of its own, and reads until this has come. */
async function exchange(port: number, text: string, until: RegExp): Promise<{ socket: Socket; read: () => string }> {
  const socket = await openRaw(`http://127.0.0.1:${port}`, text)
  let got = ''
  socket.on('data', (chunk) => {
    got += chunk.toString('latin1')
  })
  while (!until.test(got)) await once(socket, 'data')
  return { socket, read: () => got }
}

const head = (line: string, ...headers: string[]) =>
  [`${line} HTTP/1.1`, 'Host: test.example', ...headers, '', ''].join('\r\n')

t.test('a handshake reaches its route, which takes the connection, with one line in the log', async (t) => {
  const { port, taken, answered } = await startUpgrades(t)
  const request = `${head('GET /ws?token=secret', ...HANDSHAKE)}first words`
  const { socket, read } = await exchange(port, request, /\.$/)
  t.match(read(), /^HTTP\/1\.1 101 .*you said first words\.$/s)
  t.equal(taken.length, 1)
  t.match(answered(), [{ req: { method: 'GET', path: '/ws', ip: '127.0.0.1' }, res: { status: 101 }, request_id: /-/ }])
  t.equal(answered().length, 1)
  t.notMatch(JSON.stringify(answered()), /secret/)
  taken[0]?.on('data', (chunk) => taken[0]?.write(`back: ${chunk}`))
  socket.write('more')
  await once(socket, 'data')
  t.match(read(), /back: more$/)
})

t.test('a refused handshake is answered as any other request, and the connection ends', async (t) => {
  const { port, answered } = await startUpgrades(t)
  const answer = await sendRaw(port, 'GET /ws?no', [...HANDSHAKE, `Origin: ${ORIGIN}`])
  t.equal(answer.status, 403)
  t.match(JSON.parse(answer.body), { code: 'cross_site', request_id: /-/ })
  for (const [name, value] of [
    ['connection', 'close'],
    ['content-type', 'application/problem+json'],
    ['cache-control', 'no-store'],
    ['x-content-type-options', 'nosniff'],
    ['access-control-allow-origin', ORIGIN]
  ] as const) {
    t.same(answer.headers.get(name), [value], name)
  }
  t.equal(answered().length, 1)
})

t.test('the rules of every request hold for handshakes', async (t) => {
  const { port } = await startUpgrades(t)
  const other = await sendRaw(port, 'POST /ws', HANDSHAKE)
  t.same([other.status, other.headers.get('allow')], [405, ['GET']])
  t.equal((await sendRaw(port, 'GET /ws', [...HANDSHAKE, 'Host: another.example'])).status, 400)
  t.equal((await sendRaw(port, 'GET /nowhere', HANDSHAKE)).status, 404)
  t.equal((await sendRaw(port, 'GET /', HANDSHAKE)).body, 'read')
  const plain = await sendRaw(port, 'GET /ws', [])
  t.same([plain.status, plain.headers.get('upgrade')], [426, ['websocket']])
  t.equal((await sendRaw(port, 'GET /ws', ['Upgrade: websocket'])).status, 426, 'without the option of Connection')
})

for (const has of ['with', 'without'] as const) {
  t.test(`a service ${has} upgrades answers a wish for another protocol as if there was none`, async (t) => {
    const { port, app } =
      has === 'with'
        ? await startUpgrades(t)
        : await startFrame(t, (app) => {
            app.get('/', () => 'read')
            app.post('/', async ({ body }) => body)
          }).then(async (frame) => ({ ...frame, port: await listen(frame.app) }))
    const wish = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA']
    const first = await exchange(port, head('GET /', ...wish), /read$/)
    t.match(first.read(), /^HTTP\/1\.1 200 .*\r\n\r\nread$/s)
    t.match(first.read(), /connection: keep-alive/i)
    for (let i = 0; i < 12; i += 1) {
      const body = JSON.stringify({ text: 'é'.repeat(i), i })
      const json = ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`]
      first.socket.write(head('POST /', ...json, ...wish))
      first.socket.write(body.slice(0, 5))
      first.socket.write(body.slice(5))
      while (!first.read().endsWith(Buffer.from(body).toString('latin1'))) await once(first.socket, 'data')
    }
    t.equal(app.server.listenerCount('connection') < 10, true)
    t.equal((first.read().match(/HTTP\/1\.1 200/g) ?? []).length, 13, 'on one connection')
    const together = await exchange(
      port,
      head('GET /', ...wish) + head('GET /', ...wish, 'Connection: close'),
      /read.*read/s
    )
    t.equal((together.read().match(/HTTP\/1\.1 200/g) ?? []).length, 2, 'sent at once')
    for (const { socket } of [first, together]) socket.destroy()
  })
}

t.test('an earlier request of the connection gets its answer first', async (t) => {
  for (const next of [head('GET /ws', ...HANDSHAKE), head('GET /', 'Connection: Upgrade', 'Upgrade: h2c')]) {
    const { port, release } = await startUpgrades(t)
    const socket = await openRaw(`http://127.0.0.1:${port}`, head('GET /slow') + next)
    let got = ''
    socket.on('data', (chunk) => {
      got += chunk
    })
    await sendRaw(port, 'GET /', [])
    t.equal(got, '')
    release('slowly')
    while (!/slowly.*(you said \.|read)$/s.test(got)) await once(socket, 'data')
    t.match(got, /^HTTP\/1\.1 200 .*slowly.*HTTP\/1\.1 (101|200)/s)
    socket.destroy()
  }
})

t.test('a client that leaves before the answer harms nobody', async (t) => {
  const { port, taken } = await startUpgrades(t)
  for (const line of ['GET /ws', 'GET /ws?no', 'GET /']) {
    const socket = await openRaw(`http://127.0.0.1:${port}`, head(line, ...HANDSHAKE))
    socket.resetAndDestroy()
    await once(socket, 'close')
  }
  t.equal((await sendRaw(port, 'GET /', [])).body, 'read')
  t.ok(taken.length <= 1)
})

t.test('a closing app tells those who took connections at once, and closes when they have ended them', async (t) => {
  const { port, app, taken } = await startUpgrades(t)
  const { socket } = await exchange(port, head('GET /ws', ...HANDSHAKE), /said/)
  app.closing.addEventListener('abort', () => taken[0]?.end('bye'))
  const closed = app.close()
  await once(socket, 'end')
  socket.end()
  await closed
  t.pass('it is closed')
})
