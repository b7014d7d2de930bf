import t, { type Test } from 'tap'
import { createDatabase, runStatement } from '../../../test/database.ts'
import { openDatabase } from '../src/database.ts'
import { migrate, missingMigration } from '../src/schema.ts'

async function emptyDatabase(t: Test) {
  const url = await createDatabase(t)
  await runStatement(url, 'DROP SCHEMA public CASCADE; CREATE SCHEMA public')
  const database = openDatabase({ DATABASE_URL: url, DATABASE_POOL_SIZE: 1, DATABASE_TIMEOUT: 10 }, () => {})
  t.teardown(() => database.close())
  const tables = async () => {
    const rows = await database.query<{ name: string }>(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1"
    )
    return rows.map(({ name }) => name)
  }
  return { url, database, tables }
}

t.test('an empty database is brought up to date, by however many at once', async (t) => {
  const { url, database, tables } = await emptyDatabase(t)
  t.match(await missingMigration(database), /^\d{14}_users-and-sessions$/)
  await Promise.all([migrate({ url }), migrate({ url }), migrate({ url }), migrate({ url })])
  t.equal(await missingMigration(database), undefined)
  t.strictSame(await tables(), ['attempts', 'latchkey_migrations', 'sessions', 'signing_keys', 'users'])
  const rows = await database.query('SELECT name, count(*) FROM latchkey_migrations GROUP BY name HAVING count(*) > 1')
  t.strictSame(rows, [], 'each step once')
})

t.test('a second run finds nothing to do, and keeps what is there', async (t) => {
  const { url, database } = await emptyDatabase(t)
  await migrate({ url })
  const ada = `INSERT INTO users (id, email, username, password_hash, token_hash, created_at)
     VALUES (gen_random_uuid(), 'ada@example.com', 'Ada', '', sha256(''), now())`
  await database.query(ada)
  await migrate({ url })
  t.strictSame(await database.query('SELECT email FROM users'), [{ email: 'ada@example.com' }])
})

t.test('a step that fails leaves nothing behind, and can be repeated', async (t) => {
  const { url, tables } = await emptyDatabase(t)
  // The last step makes it: the steps before it are undone as well.
  await runStatement(url, 'CREATE TABLE signing_keys (mine text)')
  await t.rejects(migrate({ url }), { message: /signing_keys/ })
  t.strictSame(await tables(), ['latchkey_migrations', 'signing_keys'])
  await runStatement(url, 'DROP TABLE signing_keys')
  await migrate({ url })
  t.strictSame(await tables(), ['attempts', 'latchkey_migrations', 'sessions', 'signing_keys', 'users'])
})

t.test('every table and column says what it is for, where its name does not', async (t) => {
  const { url, database } = await emptyDatabase(t)
  await migrate({ url })
  const silent = await database.query(
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND obj_description(oid) IS NULL"
  )
  t.strictSame(silent, [{ relname: 'latchkey_migrations' }])
})

t.test('the database itself keeps the rules that must never break', async (t) => {
  const { url, database } = await emptyDatabase(t)
  await migrate({ url })
  const user = (columns: string, values: string) =>
    database.query(
      `INSERT INTO users (id, created_at, ${columns}) VALUES (gen_random_uuid(), now(), ${values}) RETURNING id`
    )
  const whole = 'email, username, password_hash, token_hash'
  await user(whole, "'ada@example.com', 'Ada', '', sha256('')")
  const refused: [name: string, columns: string, values: string, code: string][] = [
    ['one address twice', whole, "'ADA@example.com', 'Ada', '', sha256('')", '23505'],
    ['half an account', 'email', "'eve@example.com'", '23514'],
    ['a short token hash', whole, "'eve@example.com', 'Eve', '', '\\x00'", '23514'],
    ['a negative epoch', `${whole}, epoch`, "'eve@example.com', 'Eve', '', sha256(''), -1", '23514']
  ]
  for (const [name, columns, values, code] of refused) await t.rejects(user(columns, values), { code }, name)
})
