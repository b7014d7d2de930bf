import { type Database, openDatabase } from '@latchkey/database/pool'
import { createDatabase } from '@latchkey/testing/database'
import { type Test, t } from 'tap'

const url = await createDatabase(t)

// With one connection, so that all statements are prepared on it.
function open(t: Test, DATABASE_PREPARE: 'on' | 'off' = 'on'): Database<string> {
  const settings = { DATABASE_URL: url, DATABASE_POOL_SIZE: 1, ANSWER_TIMEOUT: 30, DATABASE_PREPARE }
  const database = openDatabase(settings, () => {})
  t.teardown(() => database.close())
  return database
}

const prepared = async (on: Database<string>) => {
  const rows = await on.query<{ name: string }>(
    "SELECT name FROM pg_prepared_statements WHERE name <> '' ORDER BY prepare_time"
  )
  return rows.map(({ name }) => name)
}

t.test('a statement is prepared under its name, with values and without', async (t) => {
  const database = open(t)
  await database.query('/* tea_find */ SELECT $1::int', [1])
  await database.query('/* tea_find */ SELECT $1::int', [2])
  await database.query('/* tea_list */ SELECT 1')
  await database.transaction((connection) => connection.query('/* tea_pour */ SELECT 2'))
  await database.query('SELECT $1::int', [1])
  t.same(await prepared(database), ['tea_find', 'tea_list', 'tea_pour'])
})

t.test('several texts of one name are numbered, and beyond a hundred they are not prepared', async (t) => {
  const database = open(t)
  const texts = Array.from({ length: 120 }, (_, i) => `/* cake_search */ SELECT $1::int + ${i} AS sum`)
  for (const round of [1, 2]) {
    for (const [i, text] of texts.entries()) t.same(await database.query(text, [round]), [{ sum: round + i }])
  }
  const names = await prepared(database)
  t.equal(names.length, 100)
  t.same(names.slice(0, 3), ['cake_search', 'cake_search_2', 'cake_search_3'])
})

t.test('the longest name fits, and a longer one is none', async (t) => {
  const database = open(t)
  const long = 'x'.repeat(58)
  for (const tail of ['1', '2']) await database.query(`/* ${long} */ SELECT ${tail}`)
  await database.query(`/* ${long}x */ SELECT 1`)
  t.same(await prepared(database), [long, `${long}_2`])
})

t.test('behind a pooler nothing is prepared, and the server still sees the name', async (t) => {
  const database = open(t, 'off')
  const [seen] = await database.query<{ query: string }>(
    '/* tea_seen */ SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid() AND $1',
    [true]
  )
  t.match(seen?.query, /^\/\* tea_seen \*\//)
  t.same(await prepared(database), [])
})
