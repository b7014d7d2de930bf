import { once } from 'node:events'
import net, { type AddressInfo, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { between } from '@latchkey/testing/between'
import { isProblem } from '@latchkey/testing/problem'
import t, { type Test } from 'tap'
import { type Auth, startAuth } from './app.ts'
import { ask, FEED_TOKEN, lineOf, untilWaiting } from './feed.ts'

const OPEN = { REVOCATION_FEED: 'open' }
const BY_TOKEN = { REVOCATION_FEED: 'token', FEED_TOKEN }

/** A connection on which bytes were sent; all that came back. */
async function send(t: Test, auth: Auth, text: string): Promise<{ socket: Socket; received: () => string }> {
  const socket = net.connect((auth.app.server.address() as AddressInfo).port, '127.0.0.1')
  let all = ''
  socket.on('data', (bytes) => {
    all += bytes
  })
  socket.on('error', () => {})
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  socket.write(text)
  return { socket, received: () => all }
}

const requestOf = (line: string, token?: string) =>
  `${line} HTTP/1.1\r\nHost: x\r\n${token ? `Authorization: Bearer ${token}\r\n` : ''}\r\n`

t.test('a thousand wait and are told of one change, with 16 signatures, while others log in', async (t) => {
  const auth = await startAuth(t, { env: BY_TOKEN })
  const { to } = await ask(auth, {}, { token: FEED_TOKEN })
  const ada = await auth.person()
  // A quarter of the places are the most for one address.
  const answers = Array.from({ length: 1000 }, (_, n) =>
    auth.send(lineOf({ after: to, wait: 10 }), { token: FEED_TOKEN, from: `192.0.2.${n % 4}` })
  )
  await untilWaiting(auth, 1000)
  await sleep(400)
  const ended = performance.now()
  await auth.send('POST /logout', { token: ada.refresh_token })
  const all = await Promise.all(answers)
  t.comment(`the last of 1,000 was told after ${Math.round(performance.now() - ended)} ms`)
  t.strictSame(new Set(all.map(({ status }) => status)), new Set([200]))
  t.equal(new Set(all.map(({ body }) => body)).size, 16)
  t.strictSame(new Set(all.map(({ headers }) => headers['retry-after'])), new Set([undefined]))
})

t.test('one more than may wait is answered soon, and told to wait; twice as many are refused', async (t) => {
  const auth = await startAuth(t, { env: { ...BY_TOKEN, FEED_WAITING: '3' } })
  const token = FEED_TOKEN
  const { to } = await ask(auth, {}, { token })
  const line = () => lineOf({ after: to, wait: 10 })
  const waiting = Array.from({ length: 3 }, () => auth.send(line(), { token }))
  await untilWaiting(auth, 3)
  const more = await Promise.all(Array.from({ length: 3 }, () => auth.send(line(), { token })))
  for (const { status, headers } of more) t.match({ status, headers }, { status: 200, headers: { 'retry-after': '1' } })
  t.equal(auth.app.feed?.waiting, 3, 'the others wait still')
  const many = await Promise.all(Array.from({ length: 10 }, () => auth.send(line(), { token })))
  const refused = many.filter(({ status }) => status === 503)
  between(t, refused.length, { least: 4, most: 7 }, 'on a slow machine some come after the next turn')
  for (const answer of refused) isProblem(t, answer, 'unavailable')
  const ada = await auth.person()
  await auth.send('POST /logout', { token: ada.refresh_token })
  for (const { status, headers } of await Promise.all(waiting))
    t.match([status, headers['retry-after']], [200, undefined])
})

t.test('where everybody may ask, a client has 20 places, and others have theirs', async (t) => {
  const auth = await startAuth(t, { env: OPEN })
  const { to } = await ask(auth)
  const from = (n: number) => `2001:db8:0:1::${n.toString(16)}`
  const flood = Array.from({ length: 300 }, (_, n) => auth.send(lineOf({ after: to, wait: 10 }), { from: from(n + 1) }))
  const other = auth.send(lineOf({ after: to, wait: 10 }), { from: '2001:db8:0:2::1' })
  const refused: number[] = []
  for (const answer of flood) void answer.then(({ status }) => status !== 200 && refused.push(status))
  await untilWaiting(auth, 21)
  t.strictSame([...new Set(refused)], [429])
  between(t, refused.length, { least: 130, most: 260 }, 'on a slow machine some come after the next turn')
  const ada = await auth.person()
  await auth.send('POST /logout', { token: ada.refresh_token })
  t.match(await other, { status: 200 })
  const soon = (await Promise.all(flood)).filter(({ headers }) => headers['retry-after'])
  t.equal(soon.length, 280, 'all but 20 were refused or told to wait')
})

t.test('who has the token takes a quarter of the places at one address: others have theirs', async (t) => {
  const auth = await startAuth(t, { env: { ...BY_TOKEN, FEED_WAITING: '120' } })
  const { to } = await ask(auth, {}, { token: FEED_TOKEN })
  const one = (from: string) => auth.send(lineOf({ after: to, wait: 10 }), { token: FEED_TOKEN, from })
  const flood = Array.from({ length: 100 }, () => one('192.0.2.1'))
  const others = Array.from({ length: 30 }, (_, n) => one(`198.51.100.${n}`))
  await untilWaiting(auth, 60)
  const ada = await auth.person()
  await auth.send('POST /logout', { token: ada.refresh_token })
  for (const { status, headers } of await Promise.all(others))
    t.match([status, headers['retry-after']], [200, undefined])
  const answers = await Promise.all(flood)
  t.ok(answers.some(({ status }) => status === 429))
  t.equal(answers.filter(({ status, headers }) => status === 200 && !headers['retry-after']).length, 30)
})

t.test('places that strangers make up cost one page a turn, and honest receivers are told beside them', async (t) => {
  const auth = await startAuth(t, { env: OPEN })
  await auth.database.query(
    "INSERT INTO revocations (kind, key) SELECT 'session', n FROM generate_series(1, 4000) AS n"
  )
  const { to } = await ask(auth)
  let isOver = false
  const hex = () => Math.random().toString(16).slice(2, 10).padEnd(16, '0')
  const strangers = Array.from({ length: 200 }, async (_, n) => {
    while (!isOver) {
      const after = `${Math.ceil(Math.random() * 1e6)}.${hex()}`
      await auth.send(lineOf({ after, wait: 10 }), { from: `192.0.2.${Math.floor(n / 20)}` })
    }
  })
  await sleep(300)
  const ada = await auth.person()
  const answer = ask(auth, { after: to, wait: 10 }, { from: '198.51.100.1' })
  await sleep(300)
  const ended = performance.now()
  await auth.send('POST /logout', { token: ada.refresh_token })
  t.match(await answer, { after: to, entries: [['session', String, null, Number]] })
  t.comment(`told after ${Math.round(performance.now() - ended)} ms, beside 200 strangers`)
  isOver = true
  await Promise.all(strangers)
})

t.test('a client that goes away leaves nothing behind, and half a request nothing begins', async (t) => {
  const auth = await startAuth(t, { env: OPEN })
  await auth.app.listen({ port: 0, host: '127.0.0.1' })
  const { to } = await ask(auth)
  const cut = await Promise.all(
    Array.from({ length: 15 }, () => send(t, auth, requestOf(lineOf({ after: to, wait: 10 }))))
  )
  await untilWaiting(auth, 15)
  const half = await send(t, auth, requestOf(lineOf({ after: to, wait: 10 })).slice(0, -3))
  for (const { socket } of cut.slice(0, 10)) socket.resetAndDestroy()
  await untilWaiting(auth, 5)
  // Ended from its side, a client may still read.
  cut[10]?.socket.end()
  const ada = await auth.person()
  await auth.send('POST /logout', { token: ada.refresh_token })
  await untilWaiting(auth, 0)
  const answers = cut.slice(10).map(({ received }) => received)
  while (answers.some((received) => !received().includes('application/jwt'))) await sleep(5)
  t.pass('those that are there are told')
  t.equal(half.received(), '')
  t.notMatch(JSON.stringify(auth.lines), '/revocations', 'and the log has no line')
})

t.test('when the service stops, all that wait get 503 at once, and their connections end', async (t) => {
  const auth = await startAuth(t, { env: OPEN })
  await auth.app.listen({ port: 0, host: '127.0.0.1' })
  const { to } = await ask(auth)
  const waiting = await Promise.all(
    Array.from({ length: 12 }, () => send(t, auth, requestOf(lineOf({ after: to, wait: 10 }))))
  )
  await untilWaiting(auth, 12)
  const ends = waiting.map(({ socket }) => once(socket, 'end'))
  const stopped = performance.now()
  const closed = auth.app.close()
  await Promise.all(ends)
  t.ok(
    performance.now() - stopped < 900,
    `${Math.round(performance.now() - stopped)} ms, before the second for late requests is over`
  )
  for (const { received } of waiting)
    t.match(received(), /^HTTP\/1\.1 503 [\s\S]*\r\nconnection: close\r\n[\s\S]*"code":"unavailable"/i)
  await closed
})
