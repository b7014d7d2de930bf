import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { runSealer } from '@latchkey/audit/seal'
import { verifyLog } from '@latchkey/audit/verify'
import t from 'tap'
import { makeRoom, startChat } from './app.ts'

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
