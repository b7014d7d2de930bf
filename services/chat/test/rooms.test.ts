import { randomUUID } from 'node:crypto'
import { isProblem } from '@latchkey/testing/problem'
import t from 'tap'
import { makeRoom, startChat } from './app.ts'

t.test('a room is made, seen, joined, renamed and closed, and each is an event with the next number', async (t) => {
  const chat = await startChat(t)
  const [ada, bob] = [chat.user('Ada'), chat.user('Bob')]
  const made = await chat.send(ada, 'POST /rooms', { name: 'Tea', visibility: 'public' })
  t.match(made, { status: 201, body: { name: 'Tea', visibility: 'public', closed: false, head: 1, role: 'owner' } })
  const room = `/rooms/${made.body.id}`
  t.match(await chat.send(bob, `GET ${room}`), { status: 200, body: { role: null, head: 1 } })
  t.match(await chat.send(bob, `POST ${room}/join`), { status: 200, body: { role: 'member', head: 2 } })
  t.match(await chat.send(bob, `POST ${room}/join`), { status: 200, body: { role: 'member', head: 2 } }, 'once')
  t.match(await chat.send(ada, `PUT ${room}`, { name: 'Coffee' }), { status: 200, body: { name: 'Coffee', head: 3 } })
  t.match(await chat.send(ada, `DELETE ${room}`), { status: 204 })
  t.match(await chat.send(bob, `GET ${room}`), { body: { closed: true, head: 4 } })
  isProblem(t, await chat.send(ada, `PUT ${room}`, { name: 'Tea' }), 'room_closed')
  const rows = await chat.database.query('SELECT seq, kind, actor_name FROM events ORDER BY seq')
  t.strictSame(rows, [
    { seq: 1, kind: 'created', actor_name: 'Ada' },
    { seq: 2, kind: 'joined', actor_name: 'Bob' },
    { seq: 3, kind: 'renamed', actor_name: 'Ada' },
    { seq: 4, kind: 'closed', actor_name: 'Ada' }
  ])
})

t.test('a message has the next number, and repeated under its client_id the same one', async (t) => {
  const chat = await startChat(t)
  const ada = chat.user('Ada')
  const room = `/rooms/${await makeRoom(chat, ada)}`
  const message = { client_id: randomUUID(), text: 'Good morning' }
  const first = await chat.send(ada, `POST ${room}/messages`, message)
  t.match(first, { status: 201, body: { seq: 2, repeated: false } })
  const again = await chat.send(ada, `POST ${room}/messages`, { ...message, text: 'Good evening' })
  t.strictSame([again.status, again.body], [200, { ...first.body, repeated: true }])
  t.match(await chat.send(ada, `GET ${room}/messages`), {
    body: { messages: [{ seq: 2, text: 'Good morning', actor: { username: 'Ada' } }], next_before: null }
  })
})

t.test('a deleted message keeps its place and loses its text', async (t) => {
  const chat = await startChat(t)
  const ada = chat.user('Ada')
  const room = `/rooms/${await makeRoom(chat, ada)}`
  await chat.send(ada, `POST ${room}/messages`, { client_id: randomUUID(), text: 'oops' })
  t.match(await chat.send(ada, `DELETE ${room}/messages/2`), { status: 204 })
  t.match(await chat.send(ada, `DELETE ${room}/messages/2`), { status: 204 }, 'again')
  t.match(await chat.send(ada, `GET ${room}/messages`), { body: { messages: [{ seq: 2, text: null, deleted: true }] } })
  t.match(await chat.send(ada, `GET ${room}`), { body: { head: 3 } }, 'one event')
  isProblem(t, await chat.send(ada, `DELETE ${room}/messages/1`), 'not_found', [], 'no message')
  const rows = await chat.database.query("SELECT count(*) AS n FROM events WHERE text LIKE '%oops%'")
  t.strictSame(rows, [{ n: 0 }])
})

t.test('history goes back and forth by pages', async (t) => {
  const chat = await startChat(t, { MESSAGES_PER_MINUTE: '1000' })
  const ada = chat.user('Ada')
  const room = `/rooms/${await makeRoom(chat, ada)}`
  for (let n = 2; n <= 8; n += 1) {
    await chat.send(ada, `POST ${room}/messages`, { client_id: randomUUID(), text: `${n}` })
  }
  const page = async (query: string) => {
    const { body } = await chat.send(ada, `GET ${room}/messages?${query}`)
    return [body.messages.map(({ seq }: { seq: number }) => seq), body.next_before, body.next_after]
  }
  t.strictSame(await page('limit=3'), [[6, 7, 8], 6, null])
  t.strictSame(await page('limit=3&before=6'), [[3, 4, 5], 3, null])
  t.strictSame(await page('limit=3&before=3'), [[2], null, null])
  t.strictSame(await page('limit=3&after=2'), [[3, 4, 5], null, 5])
  t.strictSame(await page('limit=3&after=5'), [[6, 7, 8], null, null])
  isProblem(t, await chat.send(ada, `GET ${room}/messages?before=3&after=3`), 'invalid_input', ['after'])
  isProblem(t, await chat.send(ada, `GET ${room}/messages?limit=101`), 'invalid_input', ['limit'])
  isProblem(t, await chat.send(ada, `GET ${room}/messages?before=9007199254740993`), 'invalid_input', ['before'])
})

t.test('a private room is hidden, and opened by a code as long as its maker may invite', async (t) => {
  const chat = await startChat(t)
  const [ada, bob, eve, cyd] = [chat.user('Ada'), chat.user('Bob'), chat.user('Eve'), chat.user('Cyd')]
  const room = `/rooms/${await makeRoom(chat, ada, 'private')}`
  isProblem(t, await chat.send(bob, `GET ${room}`), 'not_found')
  isProblem(t, await chat.send(bob, `POST ${room}/join`), 'not_found')
  isProblem(t, await chat.send(bob, `POST ${room}/join`, { code: 'A'.repeat(22) }), 'invalid_code')
  const code = (await chat.send(ada, `POST ${room}/invites`)).body.code
  t.match(await chat.send(bob, `POST ${room}/join`, { code }), { status: 200, body: { role: 'member' } })
  isProblem(t, await chat.send(bob, `POST ${room}/invites`), 'insufficient_role')
  await chat.send(ada, `PUT ${room}/members/${bob.id}`, { role: 'moderator' })
  const bobs = (await chat.send(bob, `POST ${room}/invites`)).body.code
  await chat.send(ada, `PUT ${room}/members/${bob.id}`, { role: 'member' })
  isProblem(
    t,
    await chat.send(eve, `POST ${room}/join`, { code: bobs }),
    'invalid_code',
    [],
    'its maker is no moderator'
  )
  t.match(await chat.send(eve, `POST ${room}/join`, { code }), { status: 200 }, 'many uses')
  await chat.send(ada, `PUT ${room}/bans/${cyd.id}`)
  isProblem(t, await chat.send(cyd, `POST ${room}/join`, { code }), 'banned')
  const other = `/rooms/${await makeRoom(chat, ada, 'private')}`
  isProblem(t, await chat.send(eve, `POST ${other}/join`, { code }), 'invalid_code', [], 'of another room')
})

t.test('the last owner stays, and with the last member the room closes', async (t) => {
  const chat = await startChat(t)
  const [ada, bob] = [chat.user('Ada'), chat.user('Bob')]
  const room = `/rooms/${await makeRoom(chat, ada)}`
  await chat.send(bob, `POST ${room}/join`)
  isProblem(t, await chat.send(ada, `POST ${room}/leave`), 'last_owner')
  isProblem(t, await chat.send(ada, `PUT ${room}/members/${ada.id}`, { role: 'member' }), 'last_owner')
  t.match(await chat.send(ada, `PUT ${room}/members/${bob.id}`, { role: 'owner' }), {
    status: 200,
    body: { role: 'owner' }
  })
  t.match(await chat.send(ada, `POST ${room}/leave`), { status: 204 })
  t.match(await chat.send(bob, `POST ${room}/leave`), { status: 204 })
  t.match(await chat.send(bob, `GET ${room}`), { body: { closed: true } })
})

t.test('the kicked write nothing more and may come back, the banned may not until it is lifted', async (t) => {
  const chat = await startChat(t)
  const [ada, bob] = [chat.user('Ada'), chat.user('Bob')]
  const room = `/rooms/${await makeRoom(chat, ada)}`
  await chat.send(bob, `POST ${room}/join`)
  t.match(await chat.send(ada, `DELETE ${room}/members/${bob.id}`), { status: 204 })
  isProblem(t, await chat.send(bob, `POST ${room}/messages`, { client_id: randomUUID(), text: 'x' }), 'not_a_member')
  isProblem(t, await chat.send(ada, `DELETE ${room}/members/${bob.id}`), 'not_found', [], 'twice')
  await chat.send(bob, `POST ${room}/join`)
  t.match(await chat.send(ada, `PUT ${room}/bans/${bob.id}`), { status: 204 })
  isProblem(t, await chat.send(bob, `POST ${room}/join`), 'banned')
  t.match(await chat.send(ada, `DELETE ${room}/bans/${bob.id}`), { status: 204 })
  t.match(await chat.send(bob, `POST ${room}/join`), { status: 200 })
  isProblem(t, await chat.send(ada, `DELETE ${room}/members/${ada.id}`), 'invalid_input', ['user_id'])
  isProblem(t, await chat.send(ada, `PUT ${room}/bans/${ada.id.toUpperCase()}`), 'invalid_input', ['user_id'])
})

t.test('rooms and members are listed by pages', async (t) => {
  const chat = await startChat(t)
  const [ada, bob] = [chat.user('Ada'), chat.user('Bob')]
  for (const name of ['c', 'a', 'b']) await makeRoom(chat, ada, name === 'b' ? 'private' : 'public', name)
  const names = async (user: typeof ada, query: string) => {
    const { body } = await chat.send(user, `GET /rooms?${query}`)
    return [body.rooms.map(({ name }: { name: string }) => name).join(''), body.next]
  }
  t.strictSame(await names(ada, ''), ['abc', null])
  const [first, next] = await names(ada, 'limit=2')
  t.equal(first, 'ab')
  t.strictSame(await names(ada, `limit=2&after=${next}`), ['c', null])
  t.strictSame(await names(bob, 'scope=public'), ['ac', null])
  t.strictSame(await names(bob, 'scope=mine'), ['', null])
  const room = `/rooms/${await makeRoom(chat, ada)}`
  await chat.send(bob, `POST ${room}/join`)
  const page = await chat.send(ada, `GET ${room}/members?limit=1`)
  const rest = await chat.send(ada, `GET ${room}/members?limit=1&after=${page.body.next}`)
  const ids = [...page.body.members, ...rest.body.members].map(({ user_id }: { user_id: string }) => user_id)
  t.strictSame(ids, [ada.id, bob.id].sort())
  t.equal(rest.body.next, null)
})

t.test('a text is refused that is blank, too long, or has control characters, and kept as it is sent', async (t) => {
  const chat = await startChat(t, { MESSAGES_PER_MINUTE: '1000' })
  const ada = chat.user('Ada')
  const room = `/rooms/${await makeRoom(chat, ada)}`
  const say = (text: unknown) =>
    chat.send(ada, `POST ${room}/messages`, { client_id: randomUUID(), text: text as string })
  for (const text of [
    '',
    ' \n\t',
    'x'.repeat(4001),
    '😀'.repeat(4001),
    'a\u0000b',
    'a\u001bb',
    'a\rb',
    'a\ud800',
    7,
    null
  ]) {
    isProblem(t, await say(text), 'invalid_input', ['text'], `refused ${JSON.stringify(text).slice(0, 20)}`)
  }
  for (const text of ['x'.repeat(4000), '😀'.repeat(4000), ' a\n\tb ', '\u202e<script>', 'e\u0301']) {
    const { body } = await say(text)
    const { body: page } = await chat.send(ada, `GET ${room}/messages?before=${body.seq + 1}&limit=1`)
    t.equal(page.messages[0].text, text)
  }
  isProblem(
    t,
    await chat.send(ada, `POST ${room}/messages`, { client_id: randomUUID(), text: 'x', from: 'Eve' }),
    'invalid_input',
    ['from']
  )
})

t.test('a user sends so many messages a minute, and a third of them at once', async (t) => {
  const chat = await startChat(t, { MESSAGES_PER_MINUTE: '9' })
  const [ada, bob] = [chat.user('Ada'), chat.user('Bob')]
  const room = `/rooms/${await makeRoom(chat, ada)}`
  await chat.send(bob, `POST ${room}/join`)
  const say = (user: typeof ada) => chat.send(user, `POST ${room}/messages`, { client_id: randomUUID(), text: 'x' })
  for (let n = 0; n < 3; n += 1) t.equal((await say(ada)).status, 201)
  const refused = await say(ada)
  isProblem(t, refused, 'too_many_requests')
  t.match(Number(refused.headers['retry-after']), 7)
  t.equal((await say(bob)).status, 201, 'others are not concerned')
})

t.test('without a good token nothing is answered', async (t) => {
  const chat = await startChat(t)
  isProblem(t, await chat.send(undefined, 'GET /rooms'), 'missing_token')
  const ada = chat.user('Ada')
  isProblem(t, await chat.send({ ...ada, token: ada.tokenWith({ aud: 'else' }) }, 'GET /rooms'), 'invalid_token')
  isProblem(t, await chat.send({ ...ada, token: ada.tokenWith({ exp: 1, iat: 0 }) }, 'GET /rooms'), 'token_expired')
})

t.test('a user is in a thousand rooms at most, and closed ones, which nobody can leave, do not count', async (t) => {
  const chat = await startChat(t)
  const [ada, bob] = [chat.user('Ada'), chat.user('Bob')]
  const room = `/rooms/${await makeRoom(chat, ada)}`
  await chat.database.query(
    `WITH r AS (INSERT INTO rooms (name, visibility, created_by) SELECT 'Tea', 'public', $1 FROM generate_series(1, 1000) RETURNING id),
          h AS (INSERT INTO heads (room_id) SELECT id FROM r)
     INSERT INTO members (room_id, user_id, username, role, since_seq) SELECT id, $2, 'Bob', 'member', 1 FROM r`,
    [ada.id, bob.id]
  )
  isProblem(t, await chat.send(bob, `POST ${room}/join`), 'limit_reached')
  await chat.database.query(
    'WITH r AS (UPDATE rooms SET closed_at = now() WHERE created_by = $1 AND id <> $2 RETURNING id) UPDATE heads SET closed = true FROM r WHERE room_id = r.id',
    [ada.id, room.slice(7)]
  )
  t.match(await chat.send(bob, `POST ${room}/join`), { status: 200 })
})
