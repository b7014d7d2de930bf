// A server of WebSockets whose connections live no longer than their tokens: real sockets, a played feed.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import { makeKey } from '../../testing/src/tokens.ts'
import { ISSUER_ORIGIN, revokedKey, session, subject } from './fake-feed.ts'
import { FakeKeys, type FeedScene, openScene } from './feed-scene.ts'

const [key, other] = await Promise.all([makeKey(), makeKey()])
const CODES = { revoked: 4403, expired: 4401, unavailable: 1013 }

/** Starts a server that takes the token as the first message; returns what opens a socket at it, whose close code is awaited. */
async function startSockets(t: Test, { verifier }: FeedScene) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  t.teardown(() => server.close())
  server.on('connection', (socket) => {
    let stop = () => {}
    socket.on('close', () => stop())
    socket.once('message', (token) => {
      stop = verifier.watch(String(token), (reason) => socket.close(CODES[reason], reason))
      verifier.verify(String(token)).then(
        () => socket.send('welcome'),
        () => {}
      )
    })
  })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return async (token: string) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`)
    t.teardown(() => socket.terminate())
    const closed = once(socket, 'close').then(([code, reason]) => `${code} ${reason}`)
    await once(socket, 'open')
    const isWelcome = once(socket, 'message').then(() => 'welcome')
    socket.send(token)
    const first = await Promise.race([isWelcome, closed])
    return { socket, closed, first, isOpen: () => socket.readyState === WebSocket.OPEN }
  }
}

t.test('the sockets that the feed is about are closed with 4403, and no others', async (t) => {
  const it = await openScene(t, key, {}, { keys: new FakeKeys(key, other) })
  const open = await startSockets(t, it)
  const [sub, sid] = [randomUUID(), randomUUID()]
  const tokens = [it.token({ sid }), it.token({ sub, epoch: 1 }), it.token({}, other)]
  const ended = await Promise.all(tokens.map(open))
  const left = await Promise.all([it.token({ sub, epoch: 2 }), it.token()].map(open))
  t.same(
    [...ended, ...left].map(({ first }) => first),
    Array.from({ length: 5 }, () => 'welcome')
  )
  it.feed.tells(session(sid), subject(sub, 2), revokedKey(other.kid))
  t.same(await Promise.all(ended.map(({ closed }) => closed)), ['4403 revoked', '4403 revoked', '4403 revoked'])
  await it.clock.pass(5)
  t.ok(left.every(({ isOpen }) => isOpen()))
})

t.test('a socket is closed with 4401 when its token expires', async (t) => {
  const it = await openScene(t, key)
  const open = await startSockets(t, it)
  const [short, long] = await Promise.all([it.token({ exp: ISSUER_ORIGIN + 10 }), it.token()].map(open))
  await it.clock.pass(14)
  t.ok(short?.isOpen(), 'the leeway counts')
  await it.clock.pass(2)
  t.equal(await short?.closed, '4401 expired')
  t.ok(long?.isOpen())
})

t.test('whenCut decides about the sockets when the feed is cut', async (t) => {
  for (const [whenCut, expected] of [
    ['refuse', '1013 unavailable'],
    ['recent', '4401 expired']
  ] as const) {
    const it = await openScene(t, key, { whenCut, bound: 5 })
    const { closed } = await (await startSockets(t, it))(it.token())
    it.feed.travel = () => new Promise(() => {})
    await it.clock.pass(12)
    t.equal(await closed, expected)
  }
  const it = await openScene(t, key, { whenCut: 'accept', bound: 5 })
  const { isOpen } = await (await startSockets(t, it))(it.token())
  it.feed.travel = () => new Promise(() => {})
  await it.clock.pass(12)
  t.equal(it.revocations.status().state, 'cut')
  t.ok(isOpen())
})

t.test('a socket with a bad token is closed, and one that has gone is watched no more', async (t) => {
  const it = await openScene(t, key)
  const open = await startSockets(t, it)
  t.equal((await open('nonsense')).first, '4403 revoked')
  const timers = it.clock.timers.length
  const { socket, closed } = await open(it.token())
  t.equal(it.clock.timers.length, timers + 1)
  socket.close()
  await closed
  while (it.clock.timers.length > timers) await new Promise(setImmediate)
  t.equal(it.clock.timers.length, timers)
})
