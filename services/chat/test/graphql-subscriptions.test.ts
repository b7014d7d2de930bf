import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { between } from '@latchkey/testing/between'
import { createClient } from 'graphql-ws'
import t from 'tap'
import { WebSocket } from 'ws'
import { type Chat, makeRoom, startChat, type User } from './app.ts'
import { connectGraphql, dialGraphql } from './graphql-socket.ts'
import { portOf } from './socket.ts'

const NOW = { DRAIN_TIME: '0s', MESSAGES_PER_MINUTE: '10000' }
const upTo = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, n) => first + n)
const say = (chat: Chat, user: User, room: string, text = 'x') =>
  chat.send(user, `POST /rooms/${room}/messages`, { client_id: randomUUID(), text })

t.test('a client of graphql-ws gets what happens in a room, from where it left off', async (t) => {
  const chat = await startChat(t, NOW)
  const [ada, bob] = [chat.user('Ada'), chat.user('Bob')]
  const room = await makeRoom(chat, ada)
  const client = createClient({
    url: `ws://127.0.0.1:${await portOf(chat)}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { token: ada.token },
    retryAttempts: 0
  })
  t.teardown(() => client.dispose())
  const events = client.iterate<{ roomEvents: object }>({
    query: `subscription ($room: ID!) { roomEvents(room: $room, after: 0)
      { seq kind createdAt actor { userId username } clientId text deleted targetSeq target { userId username } role name } }`,
    variables: { room }
  })
  const next = async () => (await events.next()).value?.data?.roomEvents
  t.match(await next(), {
    seq: 1,
    kind: 'created',
    actor: { userId: ada.id, username: 'Ada' },
    text: null,
    deleted: false
  })
  await chat.send(bob, `POST /rooms/${room}/join`)
  t.match(await next(), { seq: 2, kind: 'joined', actor: { userId: bob.id } })
  await say(chat, bob, room, 'Good morning')
  t.match(await next(), { seq: 3, kind: 'message', text: 'Good morning', clientId: /-/ })
  await chat.send(ada, `PUT /rooms/${room}/members/${bob.id}`, { role: 'moderator' })
  t.match(await next(), { seq: 4, kind: 'role', target: { userId: bob.id, username: 'Bob' }, role: 'moderator' })
  await chat.send(bob, `DELETE /rooms/${room}/messages/3`)
  t.match(await next(), { seq: 5, kind: 'deleted', targetSeq: 3 })
  await chat.send(ada, `PUT /rooms/${room}`, { name: 'Coffee' })
  t.match(await next(), { seq: 6, kind: 'renamed', name: 'Coffee' })
  await chat.send(ada, `DELETE /rooms/${room}`)
  t.match(await next(), { seq: 7, kind: 'closed' })
  t.equal((await events.next()).done, true, 'the room is closed')
})

t.test('queries and changes go over the same socket, one after the other, beside subscriptions', async (t) => {
  const chat = await startChat(t, NOW)
  const ada = chat.user('Ada')
  const client = await connectGraphql(t, chat, ada)
  const made = await client.ask('mutation { createRoom(name: "Tea", visibility: public) { id } }')
  t.match(made, { type: 'next', payload: { data: { createRoom: { id: /-/ } } } })
  await client.until(({ type, id }) => type === 'complete' && id === '1')
  const room = made['payload'].data.createRoom.id
  const listening = client.listen(room, 1)
  const ids = upTo(1, 20).map((n) =>
    client.begin(
      'mutation ($room: ID!, $id: ID!, $text: String!) { sendMessage(room: $room, clientId: $id, text: $text) { seq } }',
      { room, id: randomUUID(), text: `${n}` }
    )
  )
  await client.until(({ type, id }) => type === 'complete' && id === ids.at(-1))
  const seqOf = (id: string) =>
    client.messages.find((message) => message['id'] === id)?.['payload'].data.sendMessage.seq
  t.strictSame(ids.map(seqOf), upTo(2, 21))
  await client.until(({ id, payload }) => id === listening && payload?.data?.roomEvents.seq === 21)
  t.strictSame(client.seqs(listening), upTo(2, 21))
  client.send({ id: listening, type: 'complete' })
  await client.ask('{ __typename }')
  await say(chat, ada, room)
  await client.ask('{ __typename }')
  t.strictSame(client.seqs(listening), upTo(2, 21), 'nothing after it was completed')
})

t.test('what may not be listened to is refused by our codes, and the socket stays', async (t) => {
  const chat = await startChat(t, NOW)
  const [ada, bob] = [chat.user('Ada'), chat.user('Bob')]
  const [open, hidden] = [await makeRoom(chat, ada), await makeRoom(chat, ada, 'private')]
  const client = await connectGraphql(t, chat, bob)
  const query = 'subscription ($room: ID!, $after: Int) { roomEvents(room: $room, after: $after) { seq } }'
  const codeOf = async (variables: object) => {
    const { type, payload } = await client.ask(query, variables)
    t.equal(type, 'next')
    return [payload.errors[0].extensions.code, payload.errors[0].extensions.errors?.[0].field]
  }
  t.strictSame(await codeOf({ room: open }), ['not_a_member', undefined])
  t.strictSame(await codeOf({ room: hidden }), ['not_found', undefined])
  t.strictSame(await codeOf({ room: randomUUID() }), ['not_found', undefined])
  t.strictSame(await codeOf({ room: 'x' }), ['invalid_input', 'room'])
  await chat.send(bob, `POST /rooms/${open}/join`)
  t.strictSame(await codeOf({ room: open, after: 3 }), ['invalid_input', 'after'], 'beyond the head')
  t.strictSame(await codeOf({ room: open, after: -1 }), ['invalid_input', 'after'])
  for (const wrong of [
    '{',
    '{ nothing }',
    'subscription { a: roomEvents(room: "x") { seq } b: roomEvents(room: "x") { seq } }',
    '{ __schema { types { name } } }'
  ]) {
    const { type, payload } = await client.ask(wrong)
    t.match([type, payload[0].extensions.code], ['error', 'invalid_input'], wrong)
  }
  t.match(
    await client.ask(
      `{ ${upTo(1, 11)
        .map((n) => `a${n}: __typename`)
        .join(' ')} }`
    ),
    {
      type: 'error',
      payload: [{ message: /at most 10/, extensions: { code: 'invalid_input' } }]
    }
  )
  t.match(await client.ask('{ __typename }'), { payload: { data: { __typename: 'Query' } } })
})

t.test('a socket has at most fifty operations at once', async (t) => {
  const chat = await startChat(t, NOW)
  const ada = chat.user('Ada')
  const room = await makeRoom(chat, ada)
  const client = await connectGraphql(t, chat, ada)
  const ids = upTo(1, 51).map(() => client.listen(room, 0))
  t.match(await client.until(({ type }) => type === 'error'), {
    id: ids[50],
    payload: [{ extensions: { code: 'limit_reached' } }]
  })
  for (const id of ids.slice(0, 50)) await client.until((message) => message['id'] === id && message.type === 'next')
  client.send({ id: ids[0], type: 'complete' })
  const again = client.listen(room, 0)
  await client.until(({ id }) => id === again)
  t.strictSame(client.seqs(again), [1])
})

t.test('who is kicked gets the event that says so, then nothing, and the subscription is complete', async (t) => {
  const chat = await startChat(t, NOW)
  const [ada, bob] = [chat.user('Ada'), chat.user('Bob')]
  const room = await makeRoom(chat, ada)
  await chat.send(bob, `POST /rooms/${room}/join`)
  const client = await connectGraphql(t, chat, bob)
  const id = client.listen(room, 0)
  await client.until(({ payload }) => payload?.data?.roomEvents.seq === 2)
  await chat.send(ada, `DELETE /rooms/${room}/members/${bob.id}`)
  await say(chat, ada, room)
  await client.until(({ type, ...message }) => type === 'complete' && message['id'] === id)
  t.strictSame(client.seqs(id), [1, 2, 3])
})

t.test('a ticket opens a socket once, and what is no credential closes it', async (t) => {
  const chat = await startChat(t, NOW)
  const ada = chat.user('Ada')
  const { body } = await chat.send(ada, 'POST /tickets')
  const client = await dialGraphql(t, chat)
  await once(client.socket, 'open')
  t.match(await client.greet({ ticket: body.ticket }), { payload: { expires_at: /^\d{4}-.*Z$/ } })
  t.equal(client.socket.protocol, 'graphql-transport-ws')
  const now = Math.floor(Date.now() / 1000)
  const refused: [payload: unknown, code: number][] = [
    [{ ticket: body.ticket }, 4403],
    [{ token: 'x' }, 4403],
    [{ token: ada.tokenWith({ aud: 'else' }) }, 4403],
    [{ token: ada.tokenWith({ iat: now - 100, exp: now - 1 }) }, 4401],
    [{ token: ada.token, ticket: 'x' }, 4401],
    [{}, 4401],
    [undefined, 4401],
    [{ token: 7 }, 4401]
  ]
  for (const [payload, code] of refused) {
    const other = await dialGraphql(t, chat)
    await once(other.socket, 'open')
    other.send({ type: 'connection_init', ...(payload !== undefined && { payload }) })
    t.equal((await other.closed).code, code, JSON.stringify(payload)?.slice(0, 30))
  }
})

t.test('the subprotocol closes what breaks it', async (t) => {
  const chat = await startChat(t, NOW)
  const ada = chat.user('Ada')
  const closes: Record<string, [send: (string | Buffer)[], code: number]> = {
    'no JSON': [['{'], 4400],
    'no message of it': [['{"type":"start","id":"1"}'], 4400],
    'a query that is none': [['{"type":"subscribe","id":"1","payload":{"query":7}}'], 4400],
    'a second greeting': [['{"type":"connection_init"}'], 4429],
    'an id twice': [
      Array(2).fill(
        `{"type":"subscribe","id":"1","payload":{"query":"subscription { roomEvents(room: \\"${await makeRoom(chat, ada)}\\") { seq } }"}}`
      ),
      4409
    ],
    'a binary frame': [[Buffer.from('{}')], 1003],
    'a frame that is too large': [['x'.repeat(70_000)], 1009]
  }
  for (const [name, [frames, code]] of Object.entries(closes)) {
    const client = await connectGraphql(t, chat, ada)
    for (const frame of frames) client.socket.send(frame)
    const closed = await client.closed
    t.equal(closed.code, code, name)
    t.ok(closed.reason.length < 60, closed.reason)
  }
  const early = await dialGraphql(t, chat)
  await once(early.socket, 'open')
  early.begin('{ __typename }')
  t.equal((await early.closed).code, 4401, 'before the greeting')
  const loud = await dialGraphql(t, chat)
  await once(loud.socket, 'open')
  for (let n = 0; n < 30; n += 1) loud.send({ type: 'ping' })
  t.strictSame(await loud.closed, { code: 1008, reason: 'flood' })
})

t.test('who does not say who they are is closed after five seconds, and twenty of an address may be so', async (t) => {
  const chat = await startChat(t, NOW)
  const silent = await Promise.all(upTo(1, 20).map(() => dialGraphql(t, chat)))
  await Promise.all(silent.map(({ socket }) => once(socket, 'open')))
  const more = await dialGraphql(t, chat)
  const [, response] = await once(more.socket, 'unexpected-response')
  t.match(response, { statusCode: 429, headers: { 'retry-after': '5', 'content-type': 'application/problem+json' } })
  const [first] = silent
  await first?.greet({ token: chat.user('Ada').token })
  const other = await dialGraphql(t, chat)
  await once(other.socket, 'open')
  const begun = performance.now()
  t.strictSame((await other.closed).code, 4408)
  t.ok(performance.now() - begun > 4000)
  await Promise.all(silent.slice(1).map(({ closed }) => closed))
  t.equal(first?.socket.readyState, WebSocket.OPEN)
})

t.test('a socket lives no longer than its token', async (t) => {
  const chat = await startChat(t, NOW)
  const ada = chat.user('Ada')
  const room = await makeRoom(chat, ada)
  const now = Math.floor(Date.now() / 1000)
  const client = await connectGraphql(t, chat, { ...ada, token: ada.tokenWith({ iat: now - 900, exp: now + 3 }) })
  const id = client.listen(room, 0)
  await client.until((message) => message['id'] === id)
  t.strictSame(await client.closed, { code: 4401, reason: '' })
  t.ok(Date.now() / 1000 - now < 4)
})

t.test('a later epoch of the user, seen by whatever face, ends the socket, and nothing comes after it', async (t) => {
  const chat = await startChat(t, NOW)
  const ada = chat.user('Ada', { epoch: 1 })
  const room = await makeRoom(chat, ada)
  const client = await connectGraphql(t, chat, ada)
  const id = client.listen(room, 0)
  await client.until((message) => message['id'] === id)
  await say(chat, { ...ada, token: ada.tokenWith({ epoch: 2 }) }, room)
  t.strictSame(await client.closed, { code: 4403, reason: '' })
  t.strictSame(client.seqs(id), [1])
})

t.test('a handshake is judged by its Origin and subprotocol, and by no header or cookie', async (t) => {
  const chat = await startChat(t, { ...NOW, CORS_ORIGINS: 'https://app.example.com' })
  const ada = chat.user('Ada')
  const refused: [name: string, opening: Parameters<typeof dialGraphql>[2], status: number, code: string][] = [
    ['another site', { headers: { origin: 'https://evil.example' } }, 403, 'cross_site'],
    ['null', { headers: { origin: 'null' } }, 403, 'cross_site'],
    ['a token in the query', { query: `?token=${ada.token}` }, 400, 'invalid_input'],
    ['the legacy subprotocol', { protocols: ['graphql-ws'] }, 400, 'invalid_request'],
    ['that of /ws', { protocols: ['latchkey.chat.v1'] }, 400, 'invalid_request'],
    ['none', { protocols: [] }, 400, 'invalid_request']
  ]
  for (const [name, opening, status, code] of refused) {
    const client = await dialGraphql(t, chat, opening)
    const [, response] = await once(client.socket, 'unexpected-response')
    const body = JSON.parse(String((await response.toArray()).join('')))
    t.match([response.statusCode, body.code, response.headers.connection], [status, code, 'close'], name)
  }
  for (const origin of ['https://app.example.com', `http://127.0.0.1:${await portOf(chat)}`]) {
    const headers = { origin, cookie: `token=${ada.token}`, authorization: `Bearer ${ada.token}` }
    const client = await dialGraphql(t, chat, { headers })
    await once(client.socket, 'open')
    client.begin('{ __typename }')
    t.equal((await client.closed).code, 4401, 'it has to say who it is')
  }
})

t.test('a user has so many sockets, of both kinds together', async (t) => {
  const chat = await startChat(t, { ...NOW, SOCKETS_PER_USER: '2' })
  const ada = chat.user('Ada')
  const first = await connectGraphql(t, chat, ada)
  await connectGraphql(t, chat, ada)
  const third = await dialGraphql(t, chat)
  await once(third.socket, 'open')
  third.send({ type: 'connection_init', payload: { token: ada.token } })
  t.strictSame(await third.closed, { code: 1008, reason: 'too_many_sockets' })
  first.socket.close()
  await first.closed
  await connectGraphql(t, chat, ada)
})

t.test('a slow reader is waited for, and gets all of it in the end', async (t) => {
  const chat = await startChat(t, NOW)
  const ada = chat.user('Ada')
  const room = await makeRoom(chat, ada)
  const client = await connectGraphql(t, chat, ada)
  const id = client.listen(room, 0)
  await client.until((message) => message['id'] === id)
  client.socket.pause()
  const { database } = chat
  const run = database.query
  let pages = 0
  Object.assign(database, {
    query: (sql: string, values?: readonly unknown[]) => {
      if (/FROM events/.test(sql)) pages += 1
      return run.call(database, sql, values)
    }
  })
  t.teardown(() => Object.assign(database, { query: run }))
  await database.query(
    `WITH h AS (UPDATE heads SET last_seq = last_seq + 6000 WHERE room_id = $1 RETURNING last_seq - 6000 AS before)
     INSERT INTO events (room_id, seq, kind, actor_id, actor_name, client_id, text)
     SELECT $1, before + n, 'message', gen_random_uuid(), 'Eve', gen_random_uuid(), repeat('x', 4000)
     FROM h, generate_series(1, 6000) n`,
    [room]
  )
  // The room's feed reads on, for whoever is in time: 30 pages. Most of these are no longer in memory for the slow one.
  while (pages < 30) await sleep(20)
  // Of 24 MB the system takes a few; what the service holds is one page.
  const whileStalled = pages
  between(t, whileStalled, { most: 60 }, `${whileStalled} pages while it stood still`)
  client.socket.resume()
  await client.until(({ payload }) => payload?.data?.roomEvents.seq === 6001)
  t.strictSame(client.seqs(id), upTo(1, 6001))
  t.comment(`${pages} pages in all`)
  between(t, pages, { least: 90 }, 'and the others then')
})

t.test('who sends many pings at once gets its answers, as at /ws', async (t) => {
  const chat = await startChat(t, NOW)
  const { socket } = await connectGraphql(t, chat, chat.user('Ada'))
  let pongs = 0
  const answered = new Promise<void>((resolve) => {
    socket.on('pong', () => {
      pongs += 1
      if (pongs === 150) resolve()
    })
  })
  for (let n = 0; n < 150; n += 1) socket.ping()
  await Promise.race([answered, once(socket, 'close')])
  t.equal(pongs, 150)
})

t.test('at a stop sockets are told to come back', async (t) => {
  const chat = await startChat(t, NOW)
  const ada = chat.user('Ada')
  const client = await connectGraphql(t, chat, ada)
  const closing = chat.app.close()
  t.strictSame(await client.closed, { code: 1001, reason: 'shutdown' })
  await closing
})
