import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { runSealer } from '@latchkey/audit/seal'
import { verifyLog } from '@latchkey/audit/verify'
import t from 'tap'
import { type Chat, makeRoom, startChat } from './app.ts'
import { connectGraphql } from './graphql-socket.ts'
import { connect } from './socket.ts'

interface Row {
  event: string
  outcome: string
  actor_id: string
  session_id: string | null
  target_kind: string
  target_id: string
  detail: Record<string, unknown>
  person_id: string
}

const RECORDS = `SELECT event, outcome, actor_id, session_id, target_kind, target_id, detail, person_id
  FROM audit_records ORDER BY at`

t.test('each change of a room has one record and one line, and a message has none', async (t) => {
  const chat = await startChat(t)
  const session = randomUUID()
  const [ada, bob] = [chat.user('Ada', { sid: session }), chat.user('Bob')]
  const room = await makeRoom(chat, ada)
  const path = `/rooms/${room}`
  await chat.send(ada, `PUT ${path}`, { name: 'Coffee' })
  await chat.send(ada, `PUT ${path}`, { name: 'Coffee' })
  await chat.send(bob, `POST ${path}/join`)
  await chat.send(bob, `POST ${path}/messages`, { client_id: randomUUID(), text: 'a secret' })
  await chat.send(ada, `DELETE ${path}/messages/4`)
  await chat.send(ada, `PUT ${path}/members/${bob.id}`, { role: 'moderator' })
  await chat.send(ada, `POST ${path}/invites`)
  await chat.send(ada, `DELETE ${path}/members/${bob.id}`)
  await chat.send(ada, `PUT ${path}/bans/${bob.id}`)
  await chat.send(ada, `DELETE ${path}/bans/${bob.id}`)
  await chat.send(bob, `POST ${path}/join`)
  await chat.send(bob, `POST ${path}/leave`)
  await chat.send(ada, `DELETE ${path}`)
  const rows = await chat.database.query<Row>(RECORDS)
  t.strictSame(
    rows.map(({ event, actor_id, detail }) => [event, actor_id === ada.id ? 'Ada' : 'Bob', detail]),
    [
      ['room_created', 'Ada', {}],
      ['room_renamed', 'Ada', {}],
      ['room_joined', 'Bob', {}],
      ['message_deleted', 'Ada', { seq: 4 }],
      ['member_role', 'Ada', { member: bob.id, role: 'moderator' }],
      ['room_invitation', 'Ada', {}],
      ['member_kicked', 'Ada', { member: bob.id }],
      ['member_banned', 'Ada', { member: bob.id }],
      ['member_unbanned', 'Ada', { member: bob.id }],
      ['room_joined', 'Bob', {}],
      ['room_left', 'Bob', {}],
      ['room_closed', 'Ada', {}]
    ]
  )
  for (const row of rows) {
    t.match(row, { outcome: 'done', target_kind: 'room', target_id: room, person_id: row.actor_id })
  }
  t.equal(rows[0]?.session_id, session)
  const lines = chat.lines.flatMap(({ event }) => (typeof event === 'string' ? [event] : []))
  t.strictSame(
    lines,
    rows.map(({ event }) => event)
  )
  t.notMatch(JSON.stringify([rows, chat.lines]), /secret|Coffee/)
})

t.test('who is not let do something is recorded with what they wanted and where, once a minute', async (t) => {
  const chat = await startChat(t)
  const [ada, bob] = [chat.user('Ada'), chat.user('Bob')]
  const room = await makeRoom(chat, ada)
  for (let n = 0; n < 5; n += 1) await chat.send(bob, `DELETE /rooms/${room}/members/${ada.id}`)
  await chat.send(bob, `GET /rooms/${randomUUID()}`)
  let rows: Row[] = []
  while (rows.length < 2) rows = await chat.database.query<Row>(RECORDS)
  t.match(rows[1], {
    event: 'refused',
    outcome: 'refused',
    actor_id: bob.id,
    target_kind: 'room',
    target_id: room,
    detail: { code: 'not_a_member', route: 'kick' }
  })
  t.equal(rows.length, 2)
})

/** The records that are written so far, once there are so many of some kind. */
async function rowsOf(chat: Chat, isOne: (row: Row) => boolean, count: number): Promise<Row[]> {
  for (;;) {
    const rows = (await chat.database.query<Row>(RECORDS)).filter(isOne)
    if (rows.length >= count) return rows
  }
}

t.test('who is not let listen to a room is recorded, by a socket of either kind', async (t) => {
  const chat = await startChat(t, { DRAIN_TIME: '0s' })
  const [ada, bob] = [chat.user('Ada'), chat.user('Bob')]
  const [room, other] = [await makeRoom(chat, ada), await makeRoom(chat, ada)]
  const own = await connect(t, chat, bob)
  t.match(await own.ask('subscribe', { room }), { type: 'error', code: 'not_a_member' })
  t.match(await own.ask('subscribe', { room: randomUUID() }), { type: 'error', code: 'not_found' })
  const graphql = await connectGraphql(t, chat, bob)
  const id = graphql.listen(other)
  t.match(await graphql.until((message) => message['id'] === id), {
    payload: { errors: [{ extensions: { code: 'not_a_member' } }] }
  })
  const rows = await rowsOf(chat, ({ event }) => event === 'refused', 2)
  const detail = { code: 'not_a_member', route: 'subscribe' }
  t.match(rows, [
    { outcome: 'refused', actor_id: bob.id, target_kind: 'room', target_id: room, detail },
    { outcome: 'refused', actor_id: bob.id, target_kind: 'room', target_id: other, detail }
  ])
  t.equal(rows.length, 2, 'what is not there is no refusal')
})

t.test('sockets that open and close are recorded, and many of one session are one record each', async (t) => {
  const chat = await startChat(t, { DRAIN_TIME: '0s' })
  const session = randomUUID()
  const [ada, bob] = [chat.user('Ada', { sid: session }), chat.user('Bob')]
  for (let n = 0; n < 5; n += 1) {
    const client = await connect(t, chat, ada)
    client.socket.close(1000)
    await client.closed
  }
  const graphql = await connectGraphql(t, chat, bob)
  graphql.socket.close(1000)
  await graphql.closed
  const rows = await rowsOf(chat, ({ event }) => event.startsWith('socket_'), 4)
  t.strictSame(
    rows.map(({ event, outcome, actor_id, detail }) => [event, outcome, actor_id === ada.id ? 'Ada' : 'Bob', detail]),
    [
      ['socket_opened', 'done', 'Ada', {}],
      ['socket_closed', 'done', 'Ada', { code: '1000' }],
      ['socket_opened', 'done', 'Bob', {}],
      ['socket_closed', 'done', 'Bob', { code: '1000' }]
    ]
  )
  t.match(rows[0], { session_id: session, person_id: ada.id, target_kind: null })
  const lines = chat.lines.filter(({ event }) => event === 'socket_opened' || event === 'socket_closed')
  t.equal(lines.length, 12, 'the log has a line for each')
  t.match(lines[1], { user: ada.id, session, code: 1000, ms: Number })
})

t.test('a flood of sockets keeps no refusal out of the audit log', async (t) => {
  const chat = await startChat(t, { DRAIN_TIME: '0s' })
  const ada = chat.user('Ada')
  const room = await makeRoom(chat, ada)
  // Each is another session of one client: many more than it may have records of.
  const sessions = Array.from({ length: 60 }, (_, n) => chat.user(`Bob ${n}`))
  for (const bob of sessions) await connect(t, chat, bob)
  const bob = chat.user('Bob')
  await chat.send(bob, `PUT /rooms/${room}/bans/${ada.id}`)
  const refused = await rowsOf(chat, ({ event }) => event === 'refused', 1)
  t.match(refused, [{ actor_id: bob.id, detail: { route: 'ban' } }])
  t.equal((await rowsOf(chat, ({ event }) => event === 'socket_opened', 20)).length, 20)
})

t.test('the records are chained, and a change of one is found', async (t) => {
  const chat = await startChat(t)
  const ada = chat.user('Ada')
  await makeRoom(chat, ada)
  await makeRoom(chat, ada)
  const told = new EventTarget()
  const unexpected = (fields: object, message: string) => t.fail(message, fields)
  const log = { info: () => void told.dispatchEvent(new Event('line')), warn: unexpected, error: unexpected }
  const head = once(told, 'line')
  const sealer = runSealer({ database: chat.database, log, pause: 10 })
  await head
  await sealer.close()
  const faults: string[] = []
  const verified = await verifyLog(chat.database, { heads: [], keys: new Map(), revoked: new Set() }, (fault) =>
    faults.push(fault)
  )
  t.match(verified, { records: 2 })
  t.strictSame(faults, [])
})
