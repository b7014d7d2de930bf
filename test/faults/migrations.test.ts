import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { between } from '@latchkey/testing/between'
import { createDatabase, runStatement } from '@latchkey/testing/database'
import pg from 'pg'
import t from 'tap'
import { buildFirst } from '../scripts/build-first.ts'

const MIGRATE = fileURLToPath(new URL('../../services/auth/dist/migrate.js', import.meta.url))

await buildFirst()

t.test('two migrations at once both end well, also after one was killed while it worked', async (t) => {
  const url = await createDatabase(t)
  await runStatement(url, 'DROP SCHEMA public CASCADE; CREATE SCHEMA public')
  const other = new pg.Client(url)
  await other.connect()
  t.teardown(() => other.end())
  const migrate = () => spawn(process.execPath, [MIGRATE], { env: { DATABASE_URL: url }, stdio: 'inherit' })

  // It stops at its first table, whose name another transaction has taken and not yet given up.
  await other.query('BEGIN; CREATE TABLE users (id int)')
  const first = migrate()
  while ((await waiting()) === 0) await sleep(20)
  first.kill('SIGKILL')
  await once(first, 'exit')
  await other.query('ROLLBACK')

  t.strictSame(await Promise.all([migrate(), migrate()].map(exitCode)), [0, 0])
  const { rows } = await other.query(
    'SELECT count(*)::int AS steps, count(DISTINCT name)::int AS names FROM latchkey_migrations'
  )
  between(t, rows[0].names, { least: 1 })
  t.equal(rows[0].steps, rows[0].names, 'each step once')
  await t.resolves(other.query('SELECT id FROM users'))

  async function waiting(): Promise<number> {
    await other.query('SELECT pg_stat_clear_snapshot()')
    const { rowCount } = await other.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
    )
    return rowCount ?? 0
  }
})

async function exitCode(child: ChildProcess): Promise<number> {
  const [code] = await once(child, 'exit')
  return code
}
