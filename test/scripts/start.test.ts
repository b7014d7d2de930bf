// npm start as a process, with the real services, beside whatever else runs here.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createDatabase } from '@latchkey/testing/database'
import t, { type Test } from 'tap'
import { firstSignup } from '../../scripts/first-signup.mjs'
import { freePortAndNext } from '../../scripts/free-port.mjs'
import { migrate } from '../../services/auth/src/schema.ts'
import { runningPostgres, startPostgres } from '../../tools/embedded-postgres/server.mjs'
import { buildFirst } from './build-first.ts'
import { query } from './embedded.ts'
import { plainEnvironment } from './plain-environment.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
await buildFirst()
// Keys take their time, so all share these.
const keys = await mkdtemp(path.join(os.tmpdir(), 'latchkey-start-keys-'))
t.teardown(() => rm(keys, { recursive: true }))

const READY = /Latchkey [\d.]+ is ready/

interface Start {
  process: ChildProcess
  said: () => string
  /** resolves with the exit code, or the signal */
  ended: Promise<number | string>
}

interface Place {
  data: string
  env: Record<string, string>
  auth: string
  resource: string
  chat: string
}

/** A data folder and ports of its own. */
async function makePlace(t: Test): Promise<Place> {
  const data = await mkdtemp(path.join(os.tmpdir(), 'latchkey-start-'))
  // Open to the user that PostgreSQL runs as when we are root.
  await chmod(data, 0o755)
  t.teardown(() => rm(data, { recursive: true, force: true }))
  const [auth, resource, chat] = [await freePortAndNext(), await freePortAndNext(), await freePortAndNext()]
  const env = {
    ...{ DATA_DIR: data, KEYS_DIR: keys, JWKS_CACHE_FILE: path.join(data, 'jwks.json'), BCRYPT_COST: '10' },
    FEED_CACHE_FILE: path.join(data, 'revocations.json'),
    CHAT_JWKS_CACHE_FILE: path.join(data, 'chat-jwks.json'),
    CHAT_FEED_CACHE_FILE: path.join(data, 'chat-revocations.json'),
    CHAT_PORT: String(chat),
    ...{ AUTH_PORT: String(auth), RESOURCE_PORT: String(resource), LOG_LEVEL: 'warn' }
  }
  const [authUrl, resourceUrl, chatUrl] = [auth, resource, chat].map((port) => `http://127.0.0.1:${port}`)
  return { data, env, auth: `${authUrl}`, resource: `${resourceUrl}`, chat: `${chatUrl}` }
}

function start(t: Test, env: Record<string, string>): Start {
  const child = spawn(process.execPath, ['scripts/start.mjs'], {
    cwd: root,
    env: plainEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe']
  })
  t.teardown(() => child.kill('SIGTERM'))
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      said += text
    })
  }
  const ended = once(child, 'close').then(([code, signal]) => code ?? signal)
  return { process: child, said: () => said, ended }
}

async function until(condition: () => boolean | Promise<boolean>, what: () => string): Promise<void> {
  const end = Date.now() + 60_000
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`waited too long; what it said:\n${what()}`)
    await sleep(20)
  }
}

async function ready(start: Start): Promise<void> {
  const over = start.ended.then(() => true)
  await until(async () => {
    if (await Promise.race([over, sleep(0, false)])) throw new Error(`ended too early:\n${start.said()}`)
    return READY.test(start.said())
  }, start.said)
}

const isUp = (url: string) =>
  fetch(`${url}/readyz`).then(
    ({ ok }) => ok,
    () => false
  )

/** Who the auth service is in its database. */
async function usersOfService(place: Place): Promise<unknown[]> {
  const { url = '' } = (await runningPostgres(path.join(place.data, 'pg'))) ?? {}
  const asked = "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name = 'latchkey-auth'"
  return (await query(url, asked)).flat()
}

/** The chat and the auth service reach each their own database, and neither as its owner. */
async function isApart(t: Test, place: Place): Promise<void> {
  const { url = '' } = (await runningPostgres(path.join(place.data, 'pg'))) ?? {}
  const connected = "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name = 'latchkey-chat'"
  t.same(await query(url, connected), [['latchkey_chat']])
  const asked = `SELECT r.rolname, d.datname, has_database_privilege(r.rolname, d.datname, 'CONNECT')
    FROM pg_roles r, pg_database d WHERE r.rolname LIKE 'latchkey\\_%' AND d.datname IN ('postgres', 'chat') ORDER BY 1, 2`
  t.same(await query(url, asked), [
    ['latchkey_chat', 'chat', true],
    ['latchkey_chat', 'postgres', false],
    ['latchkey_chat_owner', 'chat', true],
    ['latchkey_chat_owner', 'postgres', false],
    ['latchkey_service', 'chat', false],
    ['latchkey_service', 'postgres', true]
  ])
}

const databaseRuns = (place: Place) => existsSync(path.join(place.data, 'pg/data/postmaster.pid'))

t.test('the pair', async (t) => {
  const place = await makePlace(t)
  const signUp = async () => {
    const body = JSON.stringify({ email: 'ada@example.com', username: 'Ada', password: 'a lamp in the window' })
    const headers = { 'content-type': 'application/json' }
    return (await fetch(`${place.auth}/signup`, { method: 'POST', headers, body })).status
  }

  const first = start(t, { ...place.env, LOG_LEVEL: '' })
  await ready(first)
  t.notMatch(first.said(), /^[{]|listening/m, 'a healthy start says nothing in the log')
  t.match(first.said(), firstSignup(place.auth).replaceAll(/^/gm, '  '))
  t.match(first.said(), `rm -rf ${place.data}`)
  t.ok(await isUp(place.auth))
  t.ok(await isUp(place.resource))
  t.ok(await isUp(place.chat))
  t.match(first.said(), `chat      ${place.chat}`)
  t.equal(await signUp(), 201)
  await until(() => first.said().includes('a mail was written'), first.said)
  t.match(first.said(), /^[\d:.]+ auth {5}POST \/signup 201 \d+ ms 127\.0\.0\.1 #[\da-f]{8}$/m, 'one line a request')
  t.match(first.said(), `a mail was written file=${place.data}/mail/`)
  t.notMatch(first.said(), '\x1b', 'no colours, because it is no terminal')
  t.same(await usersOfService(place), ['latchkey_service'])
  await isApart(t, place)

  const second = start(t, place.env)
  t.equal(await second.ended, 1)
  t.match(second.said(), `in use by process ${first.process.pid}`)
  t.equal(await signUp(), 409, 'the first has not noticed')

  first.process.kill('SIGKILL')
  t.equal(await first.ended, 'SIGKILL')
  for (const url of [place.auth, place.resource, place.chat])
    await until(
      async () => !(await isUp(url)),
      () => `${url} has not ended by itself`
    )
  t.ok(databaseRuns(place))

  const third = start(t, place.env)
  await ready(third)
  t.equal(await signUp(), 409, 'the database is taken over')
  // As under npm, where one Ctrl-C arrives twice, and from a terminal that is closed.
  for (const signal of ['SIGINT', 'SIGINT', 'SIGTERM', 'SIGHUP'] as const) third.process.kill(signal)
  t.equal(await third.ended, 0)
  t.notOk(await isUp(place.auth))
  t.notOk(await isUp(place.resource))
  t.notOk(await isUp(place.chat))
  t.notOk(databaseRuns(place))
})

t.test('a database of an earlier version, whose service was its owner', async (t) => {
  const place = await makePlace(t)
  const before = await startPostgres({ folder: path.join(place.data, 'pg') })
  await migrate({ url: before.url })
  await before.stop()
  await ready(start(t, { ...place.env, AUDIT_RETENTION: '30d' }))
  t.same(await usersOfService(place), ['latchkey_service'])
  const { url = '' } = (await runningPostgres(path.join(place.data, 'pg'))) ?? {}
  t.same(await query(url, "SELECT retention = '30 days' FROM audit_settings"), [[true]], 'npm start hands it on')
})

t.test('told to stop while it makes its database, it leaves nothing running', async (t) => {
  const place = await makePlace(t)
  const started = start(t, place.env)
  await until(() => existsSync(path.join(place.data, 'pg/password')), started.said)
  started.process.kill('SIGHUP')
  t.equal(await started.ended, 0, started.said())
  t.notOk(databaseRuns(place))
  t.notMatch(started.said(), 'ready')
})

t.test('a taken port is named', async (t) => {
  const place = await makePlace(t)
  for (const name of ['RESOURCE_PORT', 'CHAT_PORT']) {
    const other = createServer().listen(Number(place.env[name]), '127.0.0.1')
    await once(other, 'listening')
    const started = start(t, { ...place.env, DATABASE_URL: await createDatabase(t), CHAT_DATABASE_URL: 'unread' })
    t.equal(await started.ended, 1)
    t.match(started.said(), `Port ${place.env[name]} of 127.0.0.1 is taken`)
    t.match(started.said(), `set ${name} to another, as in: ${name}=`)
    await new Promise((resolve) => other.close(resolve))
  }
})

t.test('a service that does not start, on a database that was named', async (t) => {
  const place = await makePlace(t)
  const started = start(t, { ...place.env, DATABASE_URL: await createDatabase(t), BCRYPT_COST: 'much' })
  t.equal(await started.ended, 1)
  t.match(started.said(), /^auth: cannot start.*\n +BCRYPT_COST/m, 'what it said is shown')
  t.match(started.said(), 'The auth service has ended by itself (exit code 1)')
  t.notOk(existsSync(path.join(place.data, 'pg')), 'nothing is embedded')
  t.match(started.said(), 'The chat is left out: DATABASE_URL is set')
})
