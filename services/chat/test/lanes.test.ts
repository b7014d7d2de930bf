import { randomUUID } from 'node:crypto'
import { type Database, openDatabase, type Queryable } from '@latchkey/database/pool'
import { createChatDatabase } from '@latchkey/testing/database'
import t, { type Test } from 'tap'
import { appendMessage, appendMessages, type NewMessage } from '../src/events/append.ts'
import type { RoomEvent } from '../src/events/event.ts'
import { Lanes } from '../src/events/lanes.ts'
import { insertMember, lockMembers } from '../src/rooms/members.ts'
import { endRoom, insertRoom, lockHead } from '../src/rooms/rooms.ts'
import { rolesThatMay } from '../src/rules.ts'

const ROLES = rolesThatMay('send')

async function openPool(t: Test): Promise<Database> {
  const DATABASE_URL = await createChatDatabase(t)
  const database = openDatabase({ DATABASE_URL, DATABASE_POOL_SIZE: 8, ANSWER_TIMEOUT: 20 }, () => {})
  t.teardown(() => database.close())
  return database
}

/** A room with members, one for each name. */
async function makeRoom(database: Database<string>, names: readonly string[]) {
  const people = names.map((username) => ({ user_id: randomUUID(), username }))
  const room = await database.transaction(async (connection) => {
    const room = await insertRoom(connection, { name: 'Tea', visibility: 'public', user: randomUUID() })
    for (const person of people) await insertMember(connection, room, { ...person, role: 'member' }, 0)
    return room
  })
  return { room, people }
}

async function logOf(database: Queryable<string>, room: string) {
  const [head] = await database.query<{ last_seq: number }>('SELECT last_seq FROM heads WHERE room_id = $1', [room])
  const rows = await database.query<{ seq: number; text: string }>(
    'SELECT seq, actor_name, client_id, text FROM events WHERE room_id = $1 ORDER BY seq',
    [room]
  )
  return { head: head?.last_seq, rows }
}

t.test('one statement for many does what one for each does', async (t) => {
  const database = await openPool(t)
  const { room, people } = await makeRoom(database, ['Ada', 'Bob'])
  const other = await makeRoom(database, [])
  for (const person of people) {
    await database.transaction((on) => insertMember(on, other.room, { ...person, role: 'member' }, 0))
  }
  const [ada, bob] = people
  const eve = { user_id: randomUUID(), username: 'Eve' }
  const [a, b] = [randomUUID(), randomUUID()]
  const rounds: [sender: typeof eve | undefined, client_id: string, text: string][][] = [
    [
      [ada, a, 'one'],
      [eve, randomUUID(), 'of an outsider'],
      [bob, b, 'two'],
      [ada, b, "another's id"]
    ],
    [
      [bob, b, 'again, with another text'],
      [ada, randomUUID(), 'three'],
      [eve, a, "an outsider with another's id"],
      [ada, a, 'again']
    ]
  ]
  for (const round of rounds) {
    const messages = (where: string): NewMessage[] =>
      round.map(([sender, client_id, text]) => ({ room: where, sender: sender ?? eve, client_id, text }))
    const single = []
    for (const message of messages(room)) single.push(await appendMessage(database, message, ROLES))
    const batch = await appendMessages(database, other.room, messages(other.room), ROLES)
    const shape = (sent: typeof batch) => sent.map((one) => one && [one.seq, one.repeated])
    t.strictSame(shape(batch), shape(single))
  }
  t.strictSame(await logOf(database, other.room), await logOf(database, room))
  t.match(await logOf(database, room), { head: 4, rows: { length: 4 } })
  await database.transaction((on) => endRoom(on, room))
  await database.transaction((on) => endRoom(on, other.room))
  const late = (where: string) => ({ room: where, sender: ada ?? eve, client_id: randomUUID(), text: 'late' })
  t.equal(await appendMessage(database, late(room), ROLES), undefined)
  t.strictSame(await appendMessages(database, other.room, [late(other.room)], ROLES), [undefined])
})

t.test('a message that another instance adds while a batch has it is found, and the others are added', async (t) => {
  const database = await openPool(t)
  const { room, people } = await makeRoom(database, ['Wil', 'Xia', 'Yan', 'Zoe'])
  const messages = people.map((sender) => ({ room, sender, client_id: randomUUID(), text: sender.username }))
  const [first, contested, ...others] = messages
  if (!first || !contested) throw new TypeError('too few')
  const told: RoomEvent[] = []
  const lanes = new Lanes(database, (_, events) => told.push(...events))
  const sending: Promise<unknown>[] = []

  let twice: Promise<unknown> | undefined
  await database.transaction(async (holder) => {
    await lockHead(holder, room)
    // The first goes alone and waits for the head; the others wait for it, to go together.
    sending.push(lanes.send(first))
    await aStatementWaits(database)
    sending.push(...[contested, ...others, contested].map((message) => lanes.send(message)))
    await new Promise<void>((resolve) => {
      twice = database.transaction(async (on) => {
        await lockMembers(on, room, [contested.sender.user_id])
        resolve()
        // The batch has its snapshot, and waits for the member.
        while (sending.length > 0 && !(await isBatchWaiting(database)));
        await appendMessage(on, contested, ROLES)
      })
    })
  })
  await twice
  const sent = (await Promise.all(sending)) as { seq: number; repeated: boolean }[]
  t.strictSame(
    sent.map(({ seq, repeated }) => [seq, repeated]),
    [
      [1, false],
      [2, true],
      [3, false],
      [4, false],
      [2, true]
    ]
  )
  const { head, rows } = await logOf(database, room)
  t.strictSame([head, rows.map(({ text }) => text)], [4, ['Wil', 'Xia', 'Yan', 'Zoe']])
  t.strictSame(
    told.map(({ seq }) => seq),
    [1, 3, 4],
    'only what was added here is told'
  )
})

const WAITING = "datname = current_database() AND wait_event_type = 'Lock'"

/** Resolves when a statement waits for a lock in this database. */
async function aStatementWaits(database: Queryable<string>): Promise<void> {
  while ((await database.query(`SELECT 1 FROM pg_stat_activity WHERE ${WAITING}`)).length === 0);
}

async function isBatchWaiting(database: Queryable<string>): Promise<boolean> {
  const rows = await database.query(
    `SELECT 1 FROM pg_stat_activity WHERE ${WAITING} AND query LIKE '%WITH ORDINALITY%'`
  )
  return rows.length > 0
}
