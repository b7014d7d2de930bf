import { randomUUID } from 'node:crypto'
import { openDatabase } from '@latchkey/database/pool'
import { currentCluster } from '@latchkey/testing/cluster'
import { createDatabase, runStatement, serviceUrl } from '@latchkey/testing/database'
import t, { type Test } from 'tap'
import { ownsLog } from '../src/ownership.ts'

const { url: superuser } = await currentCluster()

async function asked(t: Test, url: string): Promise<boolean> {
  const database = openDatabase({ DATABASE_URL: url, DATABASE_POOL_SIZE: 1, ANSWER_TIMEOUT: 10 }, () => {})
  t.teardown(() => database.close())
  return ownsLog(database)
}

t.test('a service with rights of its own does not own the log', async (t) => {
  t.equal(await asked(t, await serviceUrl(await createDatabase(t))), false)
})

t.test('who migrates owns the log, and so does a service with the same URL', async (t) => {
  t.equal(await asked(t, await createDatabase(t)), true)
})

// Each is enough to change records, by itself or after one more statement.
const WAYS = {
  'owner of the table': 'ALTER TABLE audit_records OWNER TO',
  'owner of the schema': 'ALTER SCHEMA public OWNER TO',
  'right to delete': 'GRANT DELETE ON audit_records TO',
  'right to truncate': 'GRANT TRUNCATE ON audit_records TO',
  'right to make triggers': 'GRANT TRIGGER ON audit_records TO',
  'right to change a number': 'GRANT UPDATE (seq) ON audit_records TO',
  'right to change a hash': 'GRANT UPDATE (hash) ON audit_records TO',
  'right to change what a record says': 'GRANT UPDATE (detail) ON audit_records TO'
}

for (const [what, grant] of Object.entries(WAYS)) {
  t.test(`a user that is no superuser owns the log by the ${what}`, async (t) => {
    const user = `t_${randomUUID().replaceAll('-', '')}`
    // After the database, in which it has rights: what was registered last runs first.
    t.teardown(() => runStatement(superuser, `DROP ROLE ${user}`))
    const owner = await createDatabase(t)
    await runStatement(owner, `CREATE ROLE ${user} LOGIN PASSWORD 'theirs'`)
    const url = Object.assign(new URL(owner), { username: user, password: 'theirs' }).href
    t.equal(await asked(t, url), false, 'not before')
    await runStatement(owner, `${grant} ${user}`)
    t.equal(await asked(t, url), true)
  })
}
