// The sockets of the verifier's README, with a real auth service: a logout closes them.
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { WebSocket } from 'ws'
import { installElsewhere, startScript } from '../packages/verifier/test/packed.ts'
import { listening, README_ISSUER, readmeSnippet } from '../packages/verifier/test/readme.ts'
import { startPair } from './pair.ts'
import { buildFirst } from './scripts/build-first.ts'

const ada = { email: 'ada@example.com', username: 'Ada', password: 'correct horse battery' }
/** From the acknowledged logout, in milliseconds; one of a few tries has to be as fast. */
const PROMISED = 1000
const TRIES = 3

await buildFirst()
const { auth } = await startPair(t, {}, { auth: { REVOCATION_FEED: 'open', ACCESS_TOKEN_TTL: '10s' } })
const { folder } = await installElsewhere(t, ['fastify-plugin', 'ws'])
const code = readmeSnippet('with-sockets.mjs').replaceAll(README_ISSUER, auth.url).replace('8080', '0')
await writeFile(join(folder, 'with-sockets.mjs'), listening(code))
const url = await startScript(t, folder, 'with-sockets.mjs')

async function post(path: string, token = '', body?: object) {
  const headers = {
    ...(token && { authorization: `Bearer ${token}` }),
    ...(body && { 'content-type': 'application/json' })
  }
  const answer = await fetch(auth.url + path, { method: 'POST', headers, ...(body && { body: JSON.stringify(body) }) })
  return { status: answer.status, body: JSON.parse((await answer.text()) || '{}') }
}

async function logIn(): Promise<{ access_token: string; refresh_token: string }> {
  return (await post('/login', '', { email: ada.email, password: ada.password })).body
}

/** Opens a socket and sends its token; returns the first message, or its end. */
async function open(token: string) {
  const socket = new WebSocket(url.replace('http:', 'ws:'))
  t.teardown(() => socket.terminate())
  const closed = once(socket, 'close').then(([code]) => ({ code: Number(code), at: performance.now() }))
  await once(socket, 'open')
  const first = once(socket, 'message').then(([text]) => String(text))
  socket.send(token)
  return { socket, closed, first: await Promise.race([first, closed.then(({ code }) => code)]) }
}

/** As {@link open}, once the verifier has read its keys and the feed. */
async function opened(token: string) {
  for (;;) {
    const it = await open(token)
    if (it.first !== 1013) return it
  }
}

t.equal((await post('/signup', '', ada)).status, 201)

t.test('within a second of its logout the socket of the session is closed with 4403, and no other', async (t) => {
  const other = await opened((await logIn()).access_token)
  const took: number[] = []
  while (took.length < TRIES && !took.some((time) => time <= PROMISED)) {
    const { access_token, refresh_token } = await logIn()
    const { first, closed } = await opened(access_token)
    t.equal(first, 'Hello, Ada!')
    t.equal((await post('/logout', refresh_token)).status, 204)
    const acknowledged = performance.now()
    const { code, at } = await closed
    t.equal(code, 4403)
    took.push(at - acknowledged)
  }
  t.ok(Math.min(...took) <= PROMISED, `${took.map(Math.round)} ms after the answer to the logout`)
  t.comment(`closed ${Math.round(took[0] ?? 0)} ms after the answer to the logout`)
  t.equal(other.socket.readyState, WebSocket.OPEN)
  t.equal((await post('/logout-everywhere', (await logIn()).access_token)).status, 204)
  t.equal((await other.closed).code, 4403)
})

t.test('a socket is closed with 4401 when its token has expired, and with 4403 if it never was one', async (t) => {
  t.equal((await open('nonsense')).first, 4403)
  const { access_token } = await logIn()
  const began = performance.now()
  const { first, closed } = await opened(access_token)
  t.equal(first, 'Hello, Ada!')
  const { code, at } = await closed
  t.equal(code, 4401)
  t.ok(at - began > 9000, `after ${Math.round(at - began)} ms`)
})
