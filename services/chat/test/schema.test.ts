import { randomUUID } from 'node:crypto'
import { openDatabase } from '@latchkey/database/pool'
import { createChatDatabase, runStatement, serviceUrl } from '@latchkey/testing/database'
import t, { type Test } from 'tap'
import { migrate, missingMigration } from '../src/schema.ts'

/** Each table, and what the user of the service may do with it. */
const RIGHTS = {
  audit_head: 'SELECT',
  audit_heads: 'SELECT',
  audit_keys: 'INSERT, SELECT',
  audit_records: 'SELECT',
  audit_settings: 'SELECT',
  bans: 'DELETE, INSERT, SELECT',
  events: 'INSERT, SELECT, UPDATE',
  heads: 'INSERT, SELECT, UPDATE',
  invites: 'DELETE, INSERT, SELECT, UPDATE',
  latchkey_migrations: 'SELECT',
  members: 'DELETE, INSERT, SELECT, UPDATE',
  rooms: 'INSERT, SELECT, UPDATE',
  stream: 'SELECT',
  tickets: 'DELETE, INSERT, SELECT, UPDATE'
}

function open(t: Test, url: string) {
  const database = openDatabase({ DATABASE_URL: url, DATABASE_POOL_SIZE: 1, ANSWER_TIMEOUT: 10 }, () => {})
  t.teardown(() => database.close())
  return database
}

async function emptyDatabase(t: Test) {
  const url = await createChatDatabase(t)
  await runStatement(url, 'DROP SCHEMA public CASCADE; CREATE SCHEMA public')
  return { url, database: open(t, url) }
}

t.test(
  'an empty database is brought up to date, by however many at once, and a second run keeps what is there',
  async (t) => {
    const { url, database } = await emptyDatabase(t)
    t.match(await missingMigration(database), /^\d{14}_audit$/)
    await Promise.all([migrate({ url }), migrate({ url }), migrate({ url })])
    t.equal(await missingMigration(database), undefined)
    const tables = await database.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    t.strictSame(
      tables,
      Object.keys(RIGHTS).map((tablename) => ({ tablename }))
    )
    const before = await database.query('SELECT id FROM stream')
    t.equal(before.length, 1)
    await migrate({ url })
    t.strictSame(await database.query('SELECT id FROM stream'), before, 'the log is the same one')
  }
)

t.test("the service's user reads and writes rows, and can do nothing else", async (t) => {
  const owner = await createChatDatabase(t)
  const service = await serviceUrl(owner)
  const rows = await open(t, owner).query<{ name: string; rights: string }>(
    `SELECT table_name AS name, string_agg(privilege_type, ', ' ORDER BY privilege_type) AS rights
       FROM information_schema.role_table_grants WHERE grantee = '${new URL(service).username}' GROUP BY 1 ORDER BY 1`
  )
  t.strictSame(Object.fromEntries(rows.map(({ name, rights }) => [name, rights])), RIGHTS)
  const refused = [
    'CREATE TABLE more (id int)',
    'ALTER TABLE events ADD COLUMN more int',
    'DROP TABLE tickets',
    'TRUNCATE bans',
    'DELETE FROM events',
    'DELETE FROM rooms',
    'DELETE FROM heads',
    'UPDATE stream SET id = gen_random_uuid()',
    'DELETE FROM audit_records',
    "INSERT INTO latchkey_migrations (name, run_on) VALUES ('more', now())"
  ]
  for (const statement of refused) await t.rejects(runStatement(service, statement), { code: '42501' }, statement)
})

t.test('every table says what it is for', async (t) => {
  const { url, database } = await emptyDatabase(t)
  await migrate({ url })
  const silent = await database.query(
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND obj_description(oid) IS NULL"
  )
  t.strictSame(silent, [{ relname: 'latchkey_migrations' }])
})

t.test('the database itself keeps the rules that must never break', async (t) => {
  const database = open(t, await createChatDatabase(t))
  const [room, user, id] = [randomUUID(), randomUUID(), randomUUID()]
  await database.query("INSERT INTO rooms (id, name, visibility, created_by) VALUES ($1, 'Tea', 'public', $2)", [
    room,
    user
  ])
  const event = (seq: number, client_id: string | null) =>
    database.query(
      `INSERT INTO events (room_id, seq, kind, actor_id, actor_name, client_id) VALUES ($1, $2, 'message', $3, 'Ada', $4)`,
      [room, seq, user, client_id]
    )
  await event(1, id)
  await event(2, null)
  await event(3, null)
  await t.rejects(event(1, randomUUID()), { code: '23505' }, 'a number twice')
  await t.rejects(event(4, id), { code: '23505' }, 'a message twice')
  const member = (role: string) =>
    database.query(
      'INSERT INTO members (room_id, user_id, username, role, since_seq) VALUES ($1, $2, $3, $4, 1) RETURNING role',
      [room, user, 'Ada', role]
    )
  await t.rejects(member('king'), { code: '23514' }, 'a role that there is not')
  t.strictSame(await member('owner'), [{ role: 'owner' }])
  await t.rejects(member('member'), { code: '23505' }, 'a member twice')
  await t.rejects(
    database.query("INSERT INTO rooms (name, visibility, created_by) VALUES ('x', 'secret', $1)", [user]),
    { code: '23514' },
    'a visibility that there is not'
  )
})
