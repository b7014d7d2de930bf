import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { between } from '@latchkey/testing/between'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { type Service, startChat, startPair } from './pair.ts'

/** Longest time from the end of a session to its effect in the chat, in milliseconds. */
const A_SECOND = 1000

interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

/** Asks with a token: `POST /rooms`. */
async function ask(service: Service, line: string, token = '', body?: object): Promise<Answer> {
  const [method = '', path = ''] = line.split(' ')
  const headers = {
    ...(token && { authorization: `Bearer ${token}` }),
    ...(body && { 'content-type': 'application/json' })
  }
  const answer = await fetch(service.url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) })
  const text = await answer.text()
  return { status: answer.status, body: text ? JSON.parse(text) : {} }
}

/** Signs somebody up and in. */
async function person(auth: Service, username: string): Promise<{ access: string; refresh: string }> {
  const account = { email: `${username}@example.com`, password: 'a lamp in the window' }
  await ask(auth, 'POST /signup', '', { ...account, username })
  const { body } = await ask(auth, 'POST /login', '', account)
  return { access: String(body['access_token']), refresh: String(body['refresh_token']) }
}

/** Opens a socket that speaks GraphQL and listens to a room; `closed` has the code and the time of its end. */
async function listen(t: Test, chat: Service, token: string, room: unknown) {
  const socket = new WebSocket(`${chat.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')
  t.teardown(() => socket.terminate())
  const closed = once(socket, 'close').then(([code]) => ({ code, at: Date.now() }))
  const said = async (message: object) => {
    const answer = once(socket, 'message')
    socket.send(JSON.stringify(message))
    const [text] = await answer
    return JSON.parse(String(text))
  }
  await once(socket, 'open')
  t.match(await said({ type: 'connection_init', payload: { token } }), { type: 'connection_ack' })
  const query = 'subscription ($room: ID!) { roomEvents(room: $room, after: 0) { seq kind } }'
  const first = await said({ id: '1', type: 'subscribe', payload: { query, variables: { room } } })
  t.match(first, { type: 'next', payload: { data: { roomEvents: { seq: 1, kind: 'created' } } } })
  return { socket, closed }
}

/** Opens a socket and waits for its hello; `closed` has the code and the time of its end. */
async function connect(t: Test, chat: Service, token: string) {
  const socket = new WebSocket(`${chat.url.replace('http', 'ws')}/ws`, {
    headers: { authorization: `Bearer ${token}` }
  })
  t.teardown(() => socket.terminate())
  const closed = once(socket, 'close').then(([code, reason]) => ({ code, reason: String(reason), at: Date.now() }))
  const [hello] = await once(socket, 'message')
  return { hello: JSON.parse(String(hello)), closed }
}

t.test('who signed up at the auth service has a room in the chat, until they log out', async (t) => {
  const { auth } = await startPair(t, { REVOCATION_FEED: 'open' })
  const chat = await startChat(t, auth)
  const [ada, bob] = [await person(auth, 'Ada'), await person(auth, 'Bob')]

  const made = await ask(chat, 'POST /rooms', ada.access, { name: 'Tea', visibility: 'public' })
  t.match(made, { status: 201, body: { name: 'Tea', role: 'owner' } })
  const messages = `/rooms/${made.body['id']}/messages`
  const message = { client_id: randomUUID(), text: 'Hello' }
  t.match(await ask(chat, `POST ${messages}`, ada.access, message), { status: 201, body: { seq: 2, repeated: false } })
  t.match(await ask(chat, `POST ${messages}`, ada.access, message), { status: 200, body: { seq: 2, repeated: true } })
  t.match(await ask(chat, `GET ${messages}`, bob.access), { status: 403, body: { code: 'not_a_member' } })
  t.match(await ask(chat, `POST /rooms/${made.body['id']}/join`, bob.access), { status: 200 })
  const read = await ask(chat, `GET ${messages}`, bob.access)
  t.match(read.body['messages'], [{ seq: 2, text: 'Hello', actor: { username: 'Ada' } }])
  t.match(await ask(chat, 'GET /rooms', ada.refresh), { status: 401, body: { code: 'invalid_token' } })

  const socket = await connect(t, chat, ada.access)
  t.match(socket.hello, { type: 'hello', username: 'Ada' })
  t.equal((await ask(auth, 'POST /logout', ada.refresh)).status, 204)
  const loggedOut = Date.now()
  const refused = await untilRefused(() => ask(chat, `GET ${messages}`, ada.access))
  t.match(refused, { status: 401, body: { code: 'invalid_token' } })
  between(t, Date.now() - loggedOut, { most: A_SECOND }, 'the chat refuses within a second')
  const end = await socket.closed
  t.match(end, { code: 4403 })
  between(t, end.at - loggedOut, { most: A_SECOND }, 'and closes the socket')
  t.equal((await ask(chat, `GET ${messages}`, bob.access)).status, 200, 'only hers')

  t.equal(await auth.stop(), 0)
  t.equal((await ask(chat, `GET ${messages}`, bob.access)).status, 200, 'it needs no auth service')
  const bobs = await connect(t, chat, bob.access)
  t.equal(await chat.stop(), 0, 'it ends in order')
  t.match(await bobs.closed, { code: 1001, reason: 'shutdown' })
  const lines = chat.output().trim().split('\n')
  t.doesNotThrow(() => lines.map((line) => JSON.parse(line)), 'every log line is JSON')
  t.notMatch(chat.output(), /eyJ/, 'none has a token')
})

t.test(
  'the feed of the auth service ends GraphQL sockets within a second, and only those of the session',
  async (t) => {
    const { auth } = await startPair(t, { REVOCATION_FEED: 'open' })
    const chat = await startChat(t, auth)
    const [ada, bob] = [await person(auth, 'Ada'), await person(auth, 'Bob')]
    const { body } = await ask(chat, 'POST /rooms', ada.access, { name: 'Tea', visibility: 'public' })
    t.equal((await ask(chat, `POST /rooms/${body['id']}/join`, bob.access)).status, 200)
    const [hers, his] = [await listen(t, chat, ada.access, body['id']), await listen(t, chat, bob.access, body['id'])]
    t.equal((await ask(auth, 'POST /logout', ada.refresh)).status, 204)
    const loggedOut = Date.now()
    const end = await hers.closed
    t.match(end, { code: 4403 })
    between(t, end.at - loggedOut, { most: A_SECOND }, 'after the answer to the logout')
    t.equal(his.socket.readyState, WebSocket.OPEN)
    t.equal((await ask(auth, 'POST /logout-everywhere', bob.access)).status, 204)
    t.match(await his.closed, { code: 4403 })
  }
)

async function untilRefused(asking: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    const answer = await asking()
    if (answer.status !== 200) return answer
    await sleep(20)
  }
}
