import { randomUUID } from 'node:crypto'
import { openDatabase } from '@latchkey/database/pool'
import { between } from '@latchkey/testing/between'
import { createDatabase, databaseUrl, runStatement } from '@latchkey/testing/database'
import t, { type Test } from 'tap'
import { migrate, missingMigration } from '../src/schema.ts'

const TABLES = [
  'attempts',
  'audit_head',
  'audit_heads',
  'audit_keys',
  'audit_records',
  'audit_settings',
  'codes',
  'feed_head',
  'feed_receivers',
  'latchkey_migrations',
  'mail_requests',
  'mailings',
  'mails',
  'revocations',
  'sessions',
  'signal_streams',
  'signals_given',
  'signing_keys',
  'signups',
  'users'
]

async function emptyDatabase(t: Test) {
  const url = await createDatabase(t)
  await runStatement(url, 'DROP SCHEMA public CASCADE; CREATE SCHEMA public')
  const database = openDatabase({ DATABASE_URL: url, DATABASE_POOL_SIZE: 1, ANSWER_TIMEOUT: 10 }, () => {})
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
  t.strictSame(await tables(), TABLES)
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
  t.strictSame(await tables(), TABLES)
})

t.test('a database of another encoding than UTF8 is refused, and stays as it is', async (t) => {
  const url = await createDatabase(t)
  const name = new URL(url).pathname.slice(1)
  for (const encoding of ['LATIN1', 'SQL_ASCII', 'EUC_JP']) {
    const other = `${name}_${encoding.toLowerCase()}`
    await runStatement(
      url,
      `CREATE DATABASE ${other} ENCODING '${encoding}' TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'`
    )
    t.teardown(() => runStatement(url, `DROP DATABASE ${other} WITH (FORCE)`))
    const there = databaseUrl(url, other)
    await t.rejects(migrate({ url: there }), { message: new RegExp(`encoding ${encoding}.*ENCODING 'UTF8'`) })
    await runStatement(there, 'CREATE TABLE users ()')
  }
})

// The ways to have the tables in a schema of one's own.
const OWN_SCHEMA: Record<string, (place: { url: string; user: string; name: string }) => Promise<string> | string> = {
  'by the URL': ({ url }) => `${url}?options=-c%20search_path%3D%22my%5C%20app%22`,
  'by the database': async ({ url, name }) => {
    await runStatement(url, `ALTER DATABASE ${name} SET search_path = "my app", public`)
    return url
  },
  'by the user': async ({ url, user, name }) => {
    await runStatement(url, `ALTER ROLE ${user} IN DATABASE ${name} SET search_path = "my app"`)
    return url
  }
}

for (const [how, choose] of Object.entries(OWN_SCHEMA)) {
  t.test(
    `a schema of one's own, chosen ${how}: the migrator and the service look there and nowhere else`,
    async (t) => {
      const { url } = await emptyDatabase(t)
      await runStatement(url, 'CREATE SCHEMA "my app"; CREATE TABLE public.pgmigrations (mine int)')
      const there = await choose({ url, user: new URL(url).username, name: new URL(url).pathname.slice(1) })
      const database = openDatabase({ DATABASE_URL: there, DATABASE_POOL_SIZE: 1, ANSWER_TIMEOUT: 10 }, () => {})
      t.teardown(() => database.close())
      t.match(await missingMigration(database), /users-and-sessions/)
      await migrate({ url: there })
      await migrate({ url: there })
      t.equal(await missingMigration(database), undefined)
      const rows = await database.query<{ name: string }>(
        "SELECT schemaname || '.' || tablename AS name FROM pg_tables WHERE schemaname IN ('public', 'my app') ORDER BY 1"
      )
      t.strictSame(
        rows.map(({ name }) => name),
        [...TABLES.map((table) => `my app.${table}`), 'public.pgmigrations']
      )
      const service = Object.assign(new URL(url), {
        username: `t_${randomUUID().replaceAll('-', '')}`,
        password: 'x'
      }).href
      t.teardown(() =>
        runStatement(url, `DROP OWNED BY ${new URL(service).username}; DROP ROLE ${new URL(service).username}`)
      )
      await migrate({ url: there, serviceUrl: service })
      const own = openDatabase({ DATABASE_URL: service, DATABASE_POOL_SIZE: 1, ANSWER_TIMEOUT: 10 }, () => {})
      t.teardown(() => own.close())
      t.equal(await missingMigration(own), undefined, 'a user that was made for the service finds it, too')
      t.strictSame(await own.query('SELECT id FROM users'), [])
    }
  )
}

t.test('a search path without a schema is told', async (t) => {
  const { url } = await emptyDatabase(t)
  const nowhere = `${url}?options=-c%20search_path%3Dnowhere`
  await t.rejects(migrate({ url: nowhere }), { message: /search path \(nowhere\) .*CREATE SCHEMA/ })
})

const OLD = 'id serial PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL'
const NOTED = `SELECT name, run_on FROM latchkey_migrations ORDER BY id`

t.test('what an older version noted in pgmigrations is taken over', async (t) => {
  const { url, database, tables } = await emptyDatabase(t)
  await migrate({ url })
  await runStatement(
    url,
    `CREATE TABLE pgmigrations (${OLD}); INSERT INTO pgmigrations (name, run_on) ${NOTED}; DROP TABLE latchkey_migrations`
  )
  t.match(await missingMigration(database), /users-and-sessions/)
  await Promise.all([migrate({ url }), migrate({ url })])
  t.equal(await missingMigration(database), undefined)
  t.strictSame(await tables(), TABLES, 'and none is left')
})

t.test('so it is where the older version had it in public, and the tables elsewhere', async (t) => {
  const { url, database, tables } = await emptyDatabase(t)
  await runStatement(url, 'CREATE SCHEMA app')
  const there = `${url}?options=-c%20search_path%3Dapp`
  await migrate({ url: there })
  await runStatement(
    there,
    `CREATE TABLE public.pgmigrations (${OLD}); INSERT INTO public.pgmigrations (name, run_on) ${NOTED}; DROP TABLE latchkey_migrations`
  )
  await migrate({ url: there })
  t.strictSame(await tables(), [])
  between(t, (await database.query('SELECT 1 FROM app.latchkey_migrations')).length, { least: 4 }, 'migrations')
})

t.test("another application's pgmigrations is left alone, and what is ours in it is copied", async (t) => {
  const { url, database, tables } = await emptyDatabase(t)
  await runStatement(
    url,
    `CREATE TABLE pgmigrations (${OLD}); INSERT INTO pgmigrations (name, run_on) VALUES ('theirs', now())`
  )
  await migrate({ url })
  t.strictSame(await tables(), [...TABLES, 'pgmigrations'].sort())
  t.strictSame(await database.query('SELECT name FROM pgmigrations'), [{ name: 'theirs' }])

  await runStatement(url, `INSERT INTO pgmigrations (name, run_on) ${NOTED}; DROP TABLE latchkey_migrations`)
  const before = await database.query('SELECT * FROM pgmigrations')
  await migrate({ url })
  t.equal(await missingMigration(database), undefined)
  t.strictSame(await database.query('SELECT * FROM pgmigrations'), before)
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
