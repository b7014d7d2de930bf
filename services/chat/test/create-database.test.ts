import { randomUUID } from 'node:crypto'
import { createDatabase } from '@latchkey/database/create-database'
import { currentCluster } from '@latchkey/testing/cluster'
import { createDatabase as authDatabase, databaseUrl, runStatement, serviceUrl } from '@latchkey/testing/database'
import pg from 'pg'
import t, { type Test } from 'tap'
import { migrate } from '../src/schema.ts'

const { url: SERVER } = await currentCluster()

/** Names of one test alone; users and database are gone when it ends. */
function place(t: Test) {
  const name = `t_${randomUUID().replaceAll('-', '')}`
  t.teardown(async () => {
    await runStatement(SERVER, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    for (const user of [`${name}_o`, `${name}_s`]) await runStatement(SERVER, `DROP ROLE IF EXISTS ${user}`)
  })
  const as = (username: string, password: string) =>
    Object.assign(new URL(databaseUrl(SERVER, name)), { username, password }).href
  return { name, url: as(`${name}_o`, 'of the owner'), serviceUrl: as(`${name}_s`, 'of the service') }
}

async function rows(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

/** The code of the refusal, or `let in`. */
const connect = (url: string) =>
  rows(url, 'SELECT').then(
    () => 'let in',
    ({ code }) => code
  )

t.test('the database and its two users are made, by however many at once, and no powers with them', async (t) => {
  const { name, ...users } = place(t)
  const admin = await authDatabase(t)
  const said: string[] = []
  await Promise.all([1, 2, 3].map(() => createDatabase(admin, users, (line) => said.push(line))))
  t.strictSame(said, [`made the database ${name}, which belongs to ${name}_o`])
  const powers = `SELECT rolname, rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls AS powers
                    FROM pg_roles WHERE rolname LIKE '${name}%' ORDER BY 1`
  t.same(await rows(admin, powers), [
    { rolname: `${name}_o`, powers: false },
    { rolname: `${name}_s`, powers: false }
  ])
  await migrate(users)
  t.same(await rows(users.serviceUrl, 'SELECT count(*)::int FROM rooms'), [{ count: 0 }])
  const refused = await rows(users.serviceUrl, 'CREATE TABLE mine ()').catch(({ code }) => code)
  t.equal(refused, '42501', 'it only reads and writes rows')
})

t.test('neither lets the users of the other in', async (t) => {
  const { name, ...users } = place(t)
  const admin = await authDatabase(t)
  const auths = await serviceUrl(admin)
  await runStatement(
    admin,
    `GRANT CONNECT ON DATABASE ${new URL(admin).pathname.slice(1)} TO ${new URL(auths).username}`
  )
  await createDatabase(admin, users)
  await migrate(users)
  const elsewhere = (url: string, other: string) =>
    Object.assign(new URL(url), { pathname: new URL(other).pathname }).href
  t.equal(await connect(auths), 'let in', 'auth, whom its own migration has let in')
  t.equal(await connect(users.serviceUrl), 'let in')
  for (const url of [users.url, users.serviceUrl]) t.equal(await connect(elsewhere(url, admin)), '42501')
  t.equal(await connect(elsewhere(auths, users.url)), '42501')
})

t.test('a lost password is replaced by that of the URL, and a user of somebody else stays as it is', async (t) => {
  const { name, ...users } = place(t)
  const admin = await authDatabase(t)
  await createDatabase(admin, users)
  const password = 'another'
  const owner = Object.assign(new URL(users.url), { password }).href
  await createDatabase(admin, { ...users, url: owner })
  t.equal(await connect(owner), 'let in')

  const theirs = place(t)
  await runStatement(SERVER, `CREATE ROLE ${theirs.name}_s LOGIN PASSWORD 'of the service'`)
  const wrong = Object.assign(new URL(theirs.serviceUrl), { password }).href
  await createDatabase(admin, { url: theirs.url, serviceUrl: wrong })
  await migrate(theirs)
  t.equal(await connect(theirs.serviceUrl), 'let in')
})
