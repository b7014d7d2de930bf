import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { addressOf, startChild } from '@latchkey/testing/child'
import { createDatabase, runStatement } from '@latchkey/testing/database'
import pg from 'pg'
import t from 'tap'
import { keysDir, rsaPem } from './keys.ts'

// The two commands of the service as processes of their own.
const SERVER = new URL('../dist/server.js', import.meta.url)
const MIGRATE = new URL('../dist/migrate.js', import.meta.url)
const [access, refresh, weak] = await Promise.all([rsaPem(), rsaPem(), rsaPem(1024)])

const environment = (more: Record<string, string>) => ({
  PORT: '0',
  ISSUER: 'https://auth.example.com',
  AUDIENCE: 'latchkey',
  DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
  ...more
})

t.test('the service starts while the database is away, tells of what is unsafe, and ends in order', async (t) => {
  const dir = keysDir(t, { access, refresh }, 0o644)
  const child = startChild(t, SERVER, environment({ KEYS_DIR: dir, ISSUER: 'http://auth.example.com' }))
  const address = await addressOf(child)
  t.equal((await fetch(`${address}/healthz`)).status, 200)
  t.equal((await fetch(`${address}/readyz`)).status, 503)
  child.process.kill('SIGTERM')
  const { code, stdout, stderr } = await child.ended
  t.strictSame([code, stderr], [0, ''])
  const warnings = stdout.split('\n').filter((line) => line.includes('"level":"warn"'))
  t.equal(warnings.length, 4)
  for (const kind of ['access', 'refresh']) {
    t.match(stdout, `${join(dir, kind, 'current.private.pem')}: others may read this private key`)
  }
  t.match(stdout, '"ISSUER: http: is safe only')
  t.match(stdout, 'SMTP_URL is not set: no mail is sent')
})

t.test('the stack of an error names the lines of the sources', async (t) => {
  const child = startChild(t, SERVER, environment({ KEYS_DIR: keysDir(t, { access, refresh }) }))
  await addressOf(child)
  child.process.kill('SIGTERM')
  const { stdout } = await child.ended
  const errors = stdout.split('\n').filter((line) => line.includes('"stack"'))
  t.match(errors.join('\n'), /"stack":"[^"]*packages\/database\/src\/pool\.ts:[1-9]/, 'of ours')
  t.match(errors.join('\n'), /"stack":"[^"]*node_modules\/pg/, 'of others')
  t.notMatch(errors.join('\n'), 'services/auth/dist')
})

t.test('it listens when it knows which key signs, but does not wait for ever', async (t) => {
  const DATABASE_URL = await createDatabase(t)
  const other = new pg.Client(DATABASE_URL)
  await other.connect()
  t.teardown(() => other.end())
  const lock = () => other.query('BEGIN; LOCK TABLE signing_keys')
  const isWaitedFor = async () => (await other.query('SELECT FROM pg_locks WHERE NOT granted')).rows.length > 0
  // An unknown address is refused with 401 as soon as somebody could be logged in.
  const login = async (address: string) => {
    const body = JSON.stringify({ email: 'nobody@example.com', password: 'a quiet harbour at dawn' })
    const headers = { 'content-type': 'application/json' }
    return (await fetch(`${address}/login`, { method: 'POST', headers, body })).status
  }
  const start = () => {
    const settings = {
      KEYS_DIR: keysDir(t, { access, refresh }),
      DATABASE_URL,
      ANSWER_TIMEOUT: '60s',
      BCRYPT_COST: '10'
    }
    return addressOf(startChild(t, SERVER, environment(settings)))
  }

  await lock()
  const listening = start()
  const first = listening.then(login)
  while (!(await isWaitedFor())) await sleep(5)
  await sleep(500)
  await other.query('COMMIT')
  t.equal(await first, 401)

  await lock()
  t.equal(await login(await start()), 503, 'while the database is silent')
})

t.test('it refuses to start without settings, and with a weak key', async (t) => {
  const unset = await startChild(t, SERVER, {}).ended
  t.equal(unset.code, 1)
  t.match(
    unset.stderr,
    /^auth: cannot start.+\n {2}ISSUER .+\n {2}AUDIENCE .+\n {2}KEYS_DIR .+\n {2}DATABASE_URL .+\n$/
  )

  const dir = keysDir(t, { access, refresh: weak })
  const weakly = await startChild(t, SERVER, environment({ KEYS_DIR: dir })).ended
  const path = join(dir, 'refresh', 'current.private.pem')
  t.strictSame([weakly.code, weakly.stderr], [1, `auth: ${path}: has 1024 bits; 2048 is the least.\n`])
})

t.test('it follows its key folder: by itself within seconds, and at once on SIGHUP', async (t) => {
  const dir = keysDir(t, { access, refresh })
  const child = startChild(t, SERVER, environment({ KEYS_DIR: dir, DATABASE_URL: await createDatabase(t) }))
  const address = await addressOf(child)
  while (!(await fetch(`${address}/readyz`)).ok) await sleep(20)
  const publishes = async (count: number, within: number) => {
    for (const end = Date.now() + within; Date.now() < end; await sleep(50)) {
      const { keys } = (await (await fetch(`${address}/.well-known/jwks.json`)).json()) as { keys: unknown[] }
      if (keys.length === count) return true
    }
    return false
  }
  t.equal(await publishes(1, 1000), true)
  writeFileSync(join(dir, 'access', 'next.private.pem'), await rsaPem(), { mode: 0o600 })
  t.equal(await publishes(2, 6000), true)
  rmSync(join(dir, 'access', 'next.private.pem'))
  child.process.kill('SIGHUP')
  t.equal(await publishes(1, 2000), true, 'sooner than it looks by itself')
})

t.test('the migration brings a database up to date, and the next one finds nothing to do', async (t) => {
  const DATABASE_URL = await createDatabase(t)
  await runStatement(DATABASE_URL, 'DROP SCHEMA public CASCADE; CREATE SCHEMA public')
  const first = await startChild(t, MIGRATE, { DATABASE_URL }).ended
  t.match(first, { code: 0, stdout: /users-and-sessions/, stderr: '' })
  const second = await startChild(t, MIGRATE, { DATABASE_URL }).ended
  t.match(second, { code: 0, stdout: /No migrations to run/, stderr: '' })
})

t.test('the migration fails where the database is away, and says so', async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  await new Promise((resolve) => server.close(resolve))
  const away = await startChild(t, MIGRATE, { DATABASE_URL: `postgres://nobody:canary@127.0.0.1:${port}/none` }).ended
  t.match(away, { code: 1, stderr: /^migrate: .*ECONNREFUSED/ })
  t.notMatch(away.stderr, 'canary')
})
