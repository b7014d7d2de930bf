import { startChild } from '@latchkey/testing/child'
import { createDatabase, serviceUrl } from '@latchkey/testing/database'
import pg from 'pg'
import t, { type Test } from 'tap'

const MIGRATE = new URL('../dist/migrate.js', import.meta.url)

async function databaseOf(t: Test) {
  const owner = await createDatabase(t)
  const service = await serviceUrl(owner)
  const client = new pg.Client(owner)
  await client.connect()
  t.teardown(() => client.end())
  return {
    service,
    client,
    migrate: (env: Record<string, string>) =>
      startChild(t, MIGRATE, { MIGRATION_DATABASE_URL: owner, DATABASE_URL: service, ...env }).ended,
    days: async () => {
      const { rows } = await client.query(
        'SELECT extract(epoch FROM retention)::int / 86400 AS days FROM audit_settings'
      )
      return rows.map(({ days }) => days)
    }
  }
}

t.test('npm run migrate stores AUDIT_RETENTION each time, and says so when it changes', async (t) => {
  const { migrate, days } = await databaseOf(t)
  const steps: [env: Record<string, string>, stored: number, said: RegExp][] = [
    [{}, 400, /^(?!.*audit log)/s],
    [{ AUDIT_RETENTION: '30d' }, 30, /^records of the audit log are kept 30 days from now on$/m],
    [{ AUDIT_RETENTION: '720h' }, 30, /^(?!.*audit log)/s],
    [{ AUDIT_RETENTION: '0' }, 0, /^records of the audit log are kept for ever from now on$/m],
    [{}, 400, /^records of the audit log are kept 400 days from now on$/m]
  ]
  for (const [env, stored, said] of steps) {
    t.match(await migrate(env), { code: 0, stdout: said, stderr: '' }, JSON.stringify(env))
    t.strictSame(await days(), [stored])
  }
})

t.test('a length that nobody can mean is refused, and the one before stays', async (t) => {
  const { migrate, days } = await databaseOf(t)
  for (const AUDIT_RETENTION of ['5s', '23h', '6d', '3651d', '400']) {
    const refused = await migrate({ AUDIT_RETENTION })
    t.match(refused, { code: 1, stderr: /AUDIT_RETENTION must be .+ from 7d to 3650d, or 0\./ }, AUDIT_RETENTION)
    t.strictSame(await days(), [400])
  }
})

t.test("the service's user can read how long records are kept, and not change it", async (t) => {
  const { service, days } = await databaseOf(t)
  const client = new pg.Client(service)
  await client.connect()
  t.teardown(() => client.end())
  t.equal((await client.query('SELECT retention FROM audit_settings')).rowCount, 1)
  for (const statement of [
    "UPDATE audit_settings SET retention = '1 second'",
    "INSERT INTO audit_settings VALUES ('1 second')",
    'DELETE FROM audit_settings',
    'TRUNCATE audit_settings'
  ]) {
    await t.rejects(client.query(statement), { code: '42501' }, statement)
  }
  t.strictSame(await days(), [400])
})
