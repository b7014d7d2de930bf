// Behind PgBouncer in transaction mode, with its settings as they come: each transaction gets another connection.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chown, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase } from '@latchkey/database/pool'
import { between } from '@latchkey/testing/between'
import { createDatabase, runAsOwner, serviceUrl } from '@latchkey/testing/database'
import pg from 'pg'
import t, { type Test } from 'tap'
import { freePort } from '../../../scripts/free-port.mjs'
import { startAuth } from './app.ts'

const PGBOUNCER = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer', '/opt/homebrew/bin/pgbouncer'].find(existsSync)
const SKIPPED = !PGBOUNCER && !process.env.CI && 'no PgBouncer here'
/** Connections to PostgreSQL, fewer than those of the services. */
const SERVER_CONNECTIONS = 2

/** Starts one before the server of this URL, and returns the URL with it in the server's place. */
async function pooler(t: Test, url: string): Promise<string> {
  const { host, port, user, password } = new pg.Client(url)
  const account = await accountFor(host)
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-pgbouncer-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const mine = await freePort()
  const settings = {
    listen_addr: '127.0.0.1',
    listen_port: mine,
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: join(folder, 'users'),
    pool_mode: 'transaction',
    default_pool_size: SERVER_CONNECTIONS
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`)
  await writeFile(
    join(folder, 'ini'),
    ['[databases]', `* = host=${host} port=${port}`, '[pgbouncer]', ...lines, ''].join('\n')
  )
  await writeFile(join(folder, 'users'), `"${user}" "${password}"\n`)
  if (account) await chown(folder, account.uid, account.gid)
  const child = spawn(String(PGBOUNCER), [join(folder, 'ini')], {
    uid: account?.uid,
    gid: account?.gid,
    stdio: 'ignore'
  })
  t.teardown(async () => {
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  const there = Object.assign(new URL(url), { host: `127.0.0.1:${mine}` }).href
  while (!(await answers(there))) await sleep(20)
  return there
}

// It does not run as root, and a Unix socket may be out of reach for all but the server's user.
async function accountFor(host: string): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined
  return host.startsWith('/') ? stat(host) : { uid: 65_534, gid: 65_534 }
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client(url)
  try {
    await client.connect()
    await client.end()
    return true
  } catch {
    return false
  }
}

t.test('DATABASE_PREPARE=off', { skip: SKIPPED }, async (t) => {
  const direct = await serviceUrl(await createDatabase(t))
  // Whatever it has by default.
  await runAsOwner(direct, `ALTER DATABASE ${new URL(direct).pathname.slice(1)} SET DateStyle = 'SQL, DMY'`)
  const DATABASE_URL = await pooler(t, direct)
  const env = { DATABASE_URL, DATABASE_PREPARE: 'off', DATABASE_POOL_SIZE: '4' }

  t.test('every route works, on two instances at once', async (t) => {
    const one = await startAuth(t, { env })
    const two = await startAuth(t, { env, keys: one.keys })
    t.equal((await one.send('GET /readyz')).status, 200)
    const walks = Array.from({ length: 20 }, async (_, i) => {
      const [auth, other] = i % 2 ? [one, two] : [two, one]
      const ada = await auth.person({ email: `walk${i}@example.com` })
      const statuses = []
      let { access_token: token, refresh_token } = ada
      for (let round = 0; round < 5; round += 1) {
        const { status, body } = await other.send('POST /refresh-token', { token: refresh_token })
        statuses.push(status, (await auth.send('GET /me', { token })).status)
        token = body.access_token
        refresh_token = body.refresh_token
      }
      const body = { current_password: ada.password, new_password: 'another quiet harbour' }
      const changed = await auth.send('POST /change-password', { token, body })
      const { status } = await other.send('POST /logout', { token: changed.body.refresh_token })
      const me = await auth.send('GET /me', { token: changed.body.access_token })
      t.match(changed.body, { access_token: String }, `walk ${i}`)
      return [...statuses, changed.status, status, me.status]
    })
    const expected = [...Array<number>(10).fill(200), 200, 204, 401]
    for (const statuses of await Promise.all(walks)) t.strictSame(statuses, expected)
    const [late] = [...one.lines, ...two.lines].filter(({ level }) => level === 'error')
    t.equal(late, undefined)
  })

  t.test('its limits hold for each statement and each transaction, and times are read right', async (t) => {
    const database = openDatabase(
      { DATABASE_URL, DATABASE_POOL_SIZE: 4, ANSWER_TIMEOUT: 1, DATABASE_PREPARE: 'off' },
      () => {}
    )
    t.teardown(() => database.close())
    const expected = [{ limit: '700ms', idle: '2s', style: 'ISO, DMY', at: new Date('2026-11-22T12:00:00Z') }]
    const asked = `SELECT current_setting('statement_timeout') AS limit, current_setting('DateStyle') AS style,
      current_setting('idle_in_transaction_session_timeout') AS idle, $1::timestamptz AS at`
    const ask = () => database.query(asked, ['2026-11-22T12:00:00Z'])
    for (const rows of await Promise.all(Array.from({ length: 8 }, ask))) t.strictSame(rows, expected)
    await t.rejects(database.query('SELECT pg_sleep(60)'), { code: 'unavailable', message: /statement timeout/ })
    await t.rejects(database.query('SELECT 1 / $1::int', [0]), { code: '22012' })
    t.strictSame(await ask(), expected, 'also after one that failed')
    const undone = database.transaction(async (connection) => {
      await connection.query('DELETE FROM sessions')
      throw new Error('changed my mind')
    })
    await t.rejects(undone, { message: 'changed my mind' })
    between(t, (await database.query('SELECT id FROM sessions')).length, { least: 1 }, 'rolled back')
  })

  t.test('without it the log says what to set', async (t) => {
    const auth = await startAuth(t, { env: { DATABASE_URL } })
    t.equal((await auth.send('GET /readyz')).status, 503)
    t.match(auth.lines, [{ msg: /^database: unsupported startup parameter: .* set DATABASE_PREPARE=off$/ }])
  })
})
