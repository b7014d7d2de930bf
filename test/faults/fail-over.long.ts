import { execFileSync } from 'node:child_process'
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { databaseUrl } from '@latchkey/testing/database'
import pg from 'pg'
import t, { type Test } from 'tap'
import { startPostgres } from '../../tools/embedded-postgres/server.mjs'
import { startPair } from '../pair.ts'
import { buildFirst } from '../scripts/build-first.ts'
import { type DatabaseServer, startDatabase } from './database-server.ts'
import { recordHistory, timeToRecover } from './history.ts'
import { startProxy } from './proxy.ts'

const CLIENTS = 8
const LOST = 3

/** Starts a standby of a server, as asynchronous as PostgreSQL is by default, from a copy of its folder. */
async function startStandby(t: Test, primary: DatabaseServer) {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-standby-'))
  const replication = await startProxy(t)
  replication.connectTo(primary.url)
  await primary.stop()
  // cp -a keeps the owner, who is another user where root starts the server.
  execFileSync('cp', ['-a', `${primary.folder}/.`, folder])
  await primary.start()
  const source = new URL(replication.urlOf(primary.url))
  const password = await readFile(join(folder, 'password'), 'utf8')
  const conninfo = `host=127.0.0.1 port=${source.port} user=${source.username} password=${password}`
  await appendFile(join(folder, 'data/postgresql.auto.conf'), `\nprimary_conninfo = '${conninfo}'\n`)
  await writeFile(join(folder, 'data/standby.signal'), '')
  const server = await startPostgres({ folder })
  t.teardown(async () => {
    await server.stop()
    for (const place of new Set([folder, server.folder])) await rm(place, { recursive: true, force: true })
  })
  const ask = async (statement: string): Promise<unknown[]> => {
    const client = new pg.Client(databaseUrl(server.url, new URL(primary.url).pathname.slice(1)))
    await client.connect()
    return client.query(statement).then(
      ({ rows }) => client.end().then(() => rows),
      (error) => client.end().then(() => Promise.reject(error))
    )
  }
  return { url: server.url, replication, ask }
}

await buildFirst()

t.test('a fail-over to a standby without the last commits logs none of eight clients out', async (t) => {
  const primary = await startDatabase(t)
  const standby = await startStandby(t, primary)
  const { auth } = await startPair(t, { DATABASE_URL: primary.url, RATE_LIMIT_PER_MINUTE: '0' })
  const { send } = recordHistory(() => auth.url)
  const credentials = { email: 'ada@example.com', password: 'a quiet harbour at dawn' }
  await send('POST /signup', { body: { ...credentials, username: 'Ada' } })
  const tokens: (string | undefined)[] = []
  for (let i = 0; i < CLIENTS; i += 1) {
    tokens.push((await send('POST /login', { body: credentials })).body['refresh_token'])
  }
  const refreshAll = async () => {
    const answers = await Promise.all(tokens.map((token) => send('POST /refresh-token', { token })))
    for (const [i, { body }] of answers.entries()) tokens[i] = body['refresh_token'] ?? tokens[i]
    return answers.map(({ status }) => status)
  }
  const all = Array(CLIENTS).fill(200)

  while ((await standby.ask('SELECT FROM sessions')).length < CLIENTS) await sleep(50)
  standby.replication.stall()
  for (let i = 0; i < LOST; i += 1)
    t.strictSame(await refreshAll(), all, 'acknowledged, and nowhere but at the primary')
  await primary.kill()
  await standby.ask('SELECT pg_promote()')
  const behind = await standby.ask('SELECT DISTINCT generation::int FROM sessions')
  t.strictSame(behind, [{ generation: 0 }], 'the standby has none of it')
  primary.proxy.connectTo(standby.url)
  await timeToRecover(() => send('GET /readyz'))
  for (let i = 0; i < LOST; i += 1) t.strictSame(await refreshAll(), all, 'nobody is logged out')
  t.equal(auth.output().match(/"event":"refresh_ahead"/g)?.length, CLIENTS, 'and each loss is told once')
})
