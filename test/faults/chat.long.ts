import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase } from '@latchkey/database/pool'
import { SKIPS_REDIS, startRedis } from '@latchkey/testing/redis-server'
import t, { type Test } from 'tap'
import { migrate } from '../../services/chat/src/schema.ts'
import { startChats } from '../chats.ts'
import type { Service } from '../pair.ts'
import { buildFirst } from '../scripts/build-first.ts'
import { type DatabaseServer, startDatabase } from './database-server.ts'
import { Talker } from './talker.ts'

const TALKERS = 12
const ROOMS = 3
const ROUNDS = 8

await buildFirst()

/** What breaks, besides the instances. */
interface Breakable {
  stop(): Promise<void>
  start(): Promise<void>
}

t.test('instances, Redis and PostgreSQL are killed under traffic', { skip: SKIPS_REDIS }, async (t) => {
  const database = await startDatabase(t, undefined, migrate)
  const redis = await startRedis(t)
  await historiesHold(t, database, [redis, { stop: database.kill, start: database.start }], { REDIS_URL: redis.url })
})

t.test('instances are killed under traffic, without Redis', async (t) => {
  await historiesHold(t, await startDatabase(t, undefined, migrate))
})

async function historiesHold(
  t: Test,
  server: DatabaseServer,
  others: readonly Breakable[] = [],
  env: Record<string, string> = {}
) {
  const settings = { DATABASE_URL: server.url, MESSAGES_PER_MINUTE: '100000', CATCH_UP_INTERVAL: '500ms', ...env }
  const { chats, tokenOf } = await startChats(t, 2, settings)
  const people = Array.from({ length: TALKERS }, () => ({ id: randomUUID(), turn: 0 }))
  const rooms = await makeRooms(server, people)
  const talkers = people.map((person, n) => {
    // Each goes from one instance to the other, as a load balancer sends them.
    const urlOf = () => chats[(n + person.turn++) % chats.length]?.url ?? ''
    return new Talker(urlOf, tokenOf({ sub: person.id, preferred_username: `P${n}` }), rooms)
  })
  let isOver = false
  const talking = Promise.all(talkers.map((talker, n) => talker.talk(`P${n}`, () => isOver)))

  for (let round = 0; round < ROUNDS; round += 1) {
    const instance = chats[round % chats.length] as Service
    const other = round % 2 === 1 ? others[(round >> 1) % others.length] : undefined
    await Promise.all([restart(instance), other && breakFor(other)])
    await sleep(500)
  }
  isOver = true
  await talking
  const rows = await eventsOf(server)
  const heads = new Map(rooms.map((room) => [room, rows.filter((row) => row.room === room).length]))
  await Promise.all(talkers.map((talker) => talker.hear(heads)))

  for (const room of rooms) {
    const seqs = rows.filter((row) => row.room === room).map(({ seq }) => seq)
    const all = seqs.map((_, n) => n + 1)
    t.strictSame(seqs, all, 'the numbers of a room have no gap')
    for (const { heard } of talkers) t.strictSame(heard.get(room), all, 'and everybody has heard each once, in order')
  }
  const sent = talkers.flatMap(({ acknowledged }) => acknowledged)
  const kept = new Map(rows.map((row) => [row.client_id, row]))
  const lost = sent.filter(({ client_id, room, seq, text }) => {
    const row = kept.get(client_id)
    return row?.room !== room || row.seq !== seq || row.text !== text
  })
  t.strictSame(lost, [], 'what was acknowledged is where it was said to be')
  t.equal(new Set(rows.map(({ client_id }) => client_id)).size, rows.length, 'nothing is there twice')
  t.equal(rows.length, sent.length, 'and nothing else')
  const connections = talkers.reduce((sum, { connected }) => sum + connected, 0)
  t.ok(connections > TALKERS, 'they came back')
  t.comment(`${sent.length} messages acknowledged, ${connections} connections of ${TALKERS} clients`)
}

async function restart(instance: Service): Promise<void> {
  await instance.kill()
  await sleep(300)
  // Without the database it is up, and ready when that is back.
  await instance.start('/healthz')
}

async function breakFor(other: Breakable): Promise<void> {
  await other.stop()
  await sleep(500)
  await other.start()
}

async function makeRooms(server: DatabaseServer, people: readonly { id: string }[]): Promise<string[]> {
  const rooms = Array.from({ length: ROOMS }, () => randomUUID())
  for (const room of rooms) {
    await server.run(`
      INSERT INTO rooms (id, name, visibility, created_by) VALUES ('${room}', 'Tea', 'public', '${people[0]?.id}');
      INSERT INTO heads (room_id) VALUES ('${room}');
      ${people.map(({ id }) => `INSERT INTO members VALUES ('${room}', '${id}', 'P', 'member', 0);`).join('\n')}`)
  }
  return rooms
}

async function eventsOf(server: DatabaseServer) {
  const database = openDatabase({ DATABASE_URL: server.url, DATABASE_POOL_SIZE: 1, ANSWER_TIMEOUT: 30 }, () => {})
  try {
    return await database.query<{ room: string; seq: number; client_id: string; text: string }>(
      'SELECT room_id AS room, seq, client_id, text FROM events ORDER BY room_id, seq'
    )
  } finally {
    await database.close()
  }
}
