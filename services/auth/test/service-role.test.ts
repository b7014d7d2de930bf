import { randomUUID } from 'node:crypto'
import { currentCluster } from '@latchkey/testing/cluster'
import { createDatabase, runStatement, serviceUrl } from '@latchkey/testing/database'
import pg from 'pg'
import t, { type Test } from 'tap'
import { migrate } from '../src/schema.ts'

const { url: SUPERUSER } = await currentCluster()

/** The URL of a user of one test alone, who is made with these options, or not at all; gone after the databases. */
async function someone(url: string, options?: string): Promise<string> {
  const user = `t_${randomUUID().replaceAll('-', '')}`
  if (options !== undefined) await runStatement(SUPERUSER, `CREATE ROLE ${user} LOGIN PASSWORD 'theirs' ${options}`)
  t.teardown(() => runStatement(SUPERUSER, `DROP ROLE IF EXISTS ${user}`))
  return as(url, user, 'theirs')
}

const as = (url: string, username: string, password: string) => Object.assign(new URL(url), { username, password }).href

/** An empty database that belongs to this user. */
async function ownDatabase(t: Test, options: string): Promise<string> {
  const any = await createDatabase(t)
  const owner = await someone(any, options)
  await runStatement(any, 'DROP SCHEMA public CASCADE; CREATE SCHEMA public')
  await runStatement(any, `ALTER DATABASE ${new URL(any).pathname.slice(1)} OWNER TO ${userOf(owner)}`)
  await runStatement(any, `ALTER SCHEMA public OWNER TO ${userOf(owner)}`)
  return owner
}

const userOf = (url: string) => new URL(url).username

async function rows(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

/** What a user may do to which table, as in `users: INSERT, SELECT`. */
async function rightsOf(owner: string, user: string): Promise<Record<string, string>> {
  const found = await rows(
    owner,
    `SELECT table_name AS name, string_agg(privilege_type, ', ' ORDER BY privilege_type) AS rights
       FROM information_schema.role_table_grants WHERE grantee = '${user}' GROUP BY 1`
  )
  return Object.fromEntries(found.map(({ name, rights }) => [name, rights]))
}

const RIGHTS = {
  audit_head: 'SELECT',
  audit_heads: 'SELECT',
  audit_keys: 'INSERT, SELECT',
  audit_records: 'SELECT',
  audit_settings: 'SELECT',
  codes: 'DELETE, INSERT, SELECT, UPDATE',
  feed_head: 'SELECT, UPDATE',
  feed_receivers: 'DELETE, INSERT, SELECT, UPDATE',
  revocations: 'DELETE, INSERT, SELECT, UPDATE',
  mail_requests: 'DELETE, INSERT, SELECT, UPDATE',
  mails: 'DELETE, INSERT, SELECT, UPDATE',
  mailings: 'DELETE, INSERT, SELECT, UPDATE',
  signal_streams: 'DELETE, INSERT, SELECT, UPDATE',
  signals_given: 'DELETE, INSERT, SELECT',
  signups: 'DELETE, INSERT, SELECT, UPDATE',
  users: 'INSERT, SELECT, UPDATE',
  sessions: 'DELETE, INSERT, SELECT, UPDATE',
  attempts: 'DELETE, INSERT, SELECT, UPDATE',
  signing_keys: 'INSERT, SELECT, UPDATE',
  latchkey_migrations: 'SELECT'
}

t.test("the service's user reads and writes rows, and can do nothing else", async (t) => {
  const owner = await createDatabase(t)
  const service = await serviceUrl(owner)
  const tables = await rows(owner, "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
  t.strictSame(
    tables.map(({ name }) => name),
    Object.keys(RIGHTS).sort(),
    'no table was forgotten'
  )
  t.strictSame(await rightsOf(owner, userOf(service)), RIGHTS)
  await runStatement(service, 'BEGIN; LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE; COMMIT')

  const refused = [
    'CREATE TABLE more (id int)',
    'CREATE SCHEMA more',
    'CREATE DATABASE more',
    'CREATE ROLE more',
    "CREATE FUNCTION lower(uuid) RETURNS text LANGUAGE sql AS 'SELECT NULL::text'",
    'CREATE EXTENSION hstore',
    'ALTER TABLE users ADD COLUMN more int',
    'DROP TABLE sessions',
    'TRUNCATE attempts',
    'CREATE INDEX ON users (username)',
    'DELETE FROM users',
    'DELETE FROM signing_keys',
    "INSERT INTO latchkey_migrations (name, run_on) VALUES ('more', now())",
    'ALTER TABLE users DISABLE TRIGGER ALL',
    'SET session_replication_role = replica',
    'SELECT * FROM pg_authid',
    "COPY users TO PROGRAM 'true'",
    "SELECT pg_read_file('postgresql.conf')",
    'SET ROLE latchkey',
    `ALTER ROLE ${userOf(service)} SUPERUSER`
  ]
  for (const statement of refused) await t.rejects(runStatement(service, statement), { code: '42501' }, statement)

  const other = await createDatabase(t)
  await runStatement(other, 'CREATE TABLE secrets AS SELECT 1 AS secret')
  const there = await serviceUrl(other)
  await t.rejects(runStatement(there, 'SELECT * FROM secrets'), { code: '42501' }, "another database's table")
})

t.test('it is made where the owner may, who need not be a superuser, and by however many at once', async (t) => {
  const owner = await ownDatabase(t, 'CREATEROLE')
  const service = await someone(owner)
  const lines: string[] = []
  const run = () => migrate({ url: owner, serviceUrl: service }, (line) => lines.push(line))
  await Promise.all([run(), run(), run()])
  await run()
  t.strictSame(await rightsOf(owner, userOf(service)), RIGHTS)
  t.strictSame(
    lines.filter((line) => line.includes(userOf(service))),
    [],
    'it may do nothing else'
  )
  const [role] = await rows(owner, `SELECT * FROM pg_roles WHERE rolname = '${userOf(service)}'`)
  t.match(role, {
    rolcanlogin: true,
    rolsuper: false,
    rolcreaterole: false,
    rolcreatedb: false,
    rolreplication: false,
    rolbypassrls: false
  })
  t.strictSame(await rows(service, 'SELECT id FROM users'), [], 'its password is the one of the URL')
  await t.rejects(runStatement(service, 'CREATE TABLE more ()'), { code: '42501' })
})

t.test('two databases of one server make it at once', async (t) => {
  const owners = [await createDatabase(t), await createDatabase(t), await createDatabase(t)]
  const service = await someone(SUPERUSER)
  const there = owners.map((owner) => as(owner, userOf(service), 'theirs'))
  await Promise.all(owners.map((url, i) => migrate({ url, serviceUrl: there[i] as string })))
  for (const url of there) t.strictSame(await rows(url, 'SELECT id FROM users'), [])
})

t.test('it gets the password of the URL of today, unless somebody else made it', async (t) => {
  const owner = await createDatabase(t)
  const service = await someone(owner)
  await migrate({ url: owner, serviceUrl: service })
  // With what a URL, an SQL statement and a preparation of passwords (RFC 4013) may each read otherwise.
  for (const password of ["a'b%5c$1", 'caf\u00e9\u00a0\u212b']) {
    const changed = as(owner, userOf(service), encodeURIComponent(password))
    await migrate({ url: owner, serviceUrl: changed })
    t.strictSame(await rows(changed, 'SELECT 1 AS one'), [{ one: 1 }], password)
  }
  const theirs = await someone(owner, '')
  await migrate({ url: owner, serviceUrl: as(owner, userOf(theirs), 'another') })
  t.strictSame(await rightsOf(owner, userOf(theirs)), RIGHTS)
  t.strictSame(await rows(theirs, 'SELECT 1 AS one'), [{ one: 1 }], 'with the password that it had')

  const elsewhere = await createDatabase(t)
  await migrate({ url: elsewhere, serviceUrl: as(elsewhere, userOf(service), 'elsewhere') })
  await t.rejects(runStatement(as(owner, userOf(service), 'elsewhere'), 'SELECT 1'), { code: '28P01' })
})

t.test('an owner who may not make it says what to run', async (t) => {
  const owner = await ownDatabase(t, '')
  const service = await someone(owner)
  const run = () => migrate({ url: owner, serviceUrl: service })
  const { message } = (await run().catch((error) => error)) as Error
  const [, role = '', connect = ''] = message.split('\n')
  t.match(message, new RegExp(`^the user of DATABASE_URL, ${userOf(service)}, does not exist`))
  await runStatement(SUPERUSER, role.replace('<the one in DATABASE_URL>', 'theirs'))
  await runStatement(SUPERUSER, connect)
  await run()
  t.strictSame(await rightsOf(owner, userOf(service)), RIGHTS)
  t.strictSame(await rows(service, 'SELECT id FROM users'), [])
})

t.test('what was given beyond its rights is taken away, and what the owner cannot take is told', async (t) => {
  const owner = await createDatabase(t)
  const name = new URL(owner).pathname.slice(1)
  const service = await someone(owner, 'CREATEDB')
  const user = userOf(service)
  const run = async () => {
    const lines: string[] = []
    await migrate({ url: owner, serviceUrl: service }, (line) => lines.push(line))
    return lines.filter((line) => line.includes(user))
  }
  await runStatement(owner, `GRANT ALL ON ALL TABLES IN SCHEMA public TO ${user} WITH GRANT OPTION`)
  await runStatement(owner, `GRANT UPDATE (id) ON users TO ${user}`)
  // As in every database made before PostgreSQL 15.
  await runStatement(owner, `GRANT ALL ON SCHEMA public TO PUBLIC, ${user}`)
  const told = await run()
  t.strictSame(await rightsOf(owner, user), RIGHTS)
  await t.rejects(runStatement(service, 'CREATE TABLE more ()'), { code: '42501' })
  t.match(told, [/may make roles or databases, .* runs: ALTER ROLE \S+ NOCREATEROLE NOCREATEDB/])

  await runStatement(owner, `ALTER ROLE ${user} NOCREATEDB SUPERUSER; ALTER DATABASE ${name} OWNER TO ${user}`)
  const more = await run()
  t.match(more, [/is a superuser; .* runs: ALTER ROLE \S+ NOSUPERUSER;$/, /owns the database; .* OWNER TO \w+;$/])
  for (const line of more) await runStatement(owner, line.replace(/^.* runs: /, ''))
  t.strictSame(await run(), [], 'after what was told, there is nothing to tell')
})

t.test('tables that were its own become those of the owner', async (t) => {
  const owner = await createDatabase(t)
  const service = await someone(owner, '')
  const user = userOf(service)
  await runStatement(owner, `GRANT ALL ON SCHEMA public TO ${user}`)
  for (const table of Object.keys(RIGHTS)) await runStatement(owner, `ALTER TABLE ${table} OWNER TO ${user}`)
  await runStatement(service, 'ALTER TABLE users ADD COLUMN more int')
  await migrate({ url: owner, serviceUrl: service })
  t.strictSame(await rightsOf(owner, user), RIGHTS)
  await t.rejects(runStatement(service, 'ALTER TABLE users DROP COLUMN more'), { code: '42501' })
  t.strictSame(await rows(service, 'SELECT id FROM users'), [])
})

t.test('one user for all is as before: no right is given or taken', async (t) => {
  const owner = await ownDatabase(t, '')
  const lines: string[] = []
  await migrate({ url: owner }, (line) => lines.push(line))
  await runStatement(owner, 'ALTER TABLE users ADD COLUMN more int')
  t.notMatch(lines.join(), 'DATABASE_URL')
})
