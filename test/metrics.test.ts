import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import t from 'tap'
import { WebSocket } from 'ws'
import { readValues } from '../packages/metrics/test/metrics.ts'
import { freePort } from '../scripts/free-port.mjs'
import { startDatabase } from './faults/database-server.ts'
import { startChat, startPair } from './pair.ts'
import { buildFirst } from './scripts/build-first.ts'

await buildFirst()
const database = await startDatabase(t)
const ports = { auth: await freePort(), resource: await freePort(), chat: await freePort() }
const portOf = (name: keyof typeof ports) => ({ MANAGEMENT_PORT: String(ports[name]), BUILD_COMMIT: 'abc1234' })
const { auth, resource } = await startPair(
  t,
  { DATABASE_URL: database.url, REFRESH_REUSE_WINDOW: '0s', REVOCATION_FEED: 'open' },
  { auth: portOf('auth'), resource: portOf('resource') }
)
const ada = { email: 'ada@example.com', password: 'a quiet harbour', username: 'Ada' }

async function ask(line: string, { token = '', body = undefined as object | undefined, of = auth } = {}) {
  const [method = '', path = ''] = line.split(' ')
  const headers = {
    ...(token && { authorization: `Bearer ${token}` }),
    ...(body && { 'content-type': 'application/json' })
  }
  const answer = await fetch(of.url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) })
  return { status: answer.status, body: JSON.parse((await answer.text()) || '{}') }
}

const scrape = async (name: keyof typeof ports) =>
  readValues(await (await fetch(`http://127.0.0.1:${ports[name]}/metrics`)).text())

const login = async (password = ada.password) =>
  (await ask('POST /login', { body: { ...ada, password, username: undefined } })).body

t.test('what people do at the auth service is counted', async (t) => {
  await ask('POST /signup', { body: ada })
  await ask('POST /signup', { body: ada })
  const { refresh_token: first } = await login()
  await login('a wrong one')
  const next = await ask('POST /refresh-token', { token: first })
  await ask('POST /refresh-token', { token: first })
  await ask('POST /refresh-token', { token: next.body.refresh_token })
  t.match(await scrape('auth'), {
    'latchkey_signups_total{outcome="ok"}': 1,
    'latchkey_signups_total{outcome="taken"}': 1,
    'latchkey_logins_total{outcome="ok"}': 1,
    'latchkey_logins_total{outcome="wrong"}': 1,
    'latchkey_refreshes_total{verdict="next"}': 1,
    'latchkey_refreshes_total{verdict="theft"}': 1,
    'latchkey_refreshes_total{verdict="dead"}': 1,
    'latchkey_sessions_ended_total{reason="theft"}': 1,
    'latchkey_refusals_total{code="email_taken"}': 1,
    latchkey_password_work_seconds_count: 4,
    'http_server_request_duration_seconds_count{http_request_method="POST",http_route="/login",status_class="4xx"}': 1
  })
})

t.test('the auth service tells of its keys, threads, connections and mail', async (t) => {
  const values = await scrape('auth')
  t.match(values, {
    'latchkey_keys_signing{kind="access"}': 1,
    'latchkey_keys_signing{kind="refresh"}': 1,
    'latchkey_password_jobs{state="waiting"}': 0,
    latchkey_database_up: 1,
    'latchkey_database_connections{state="waiting"}': 0,
    'latchkey_rate_limit_store{store="own"}': 1,
    latchkey_mail_outbox: 0,
    latchkey_mail_paused: 0,
    latchkey_audit_refusals_waiting: Number
  })
  const keys = Object.keys(values).filter((name) => name.startsWith('latchkey_signing_key_info'))
  t.equal(keys.filter((name) => /slot="current",state="signs"/.test(name)).length, 2)
  t.ok(Object.keys(values).some((name) => /^latchkey_build_info\{version=".+",commit="abc1234"/.test(name)))
  const read = Number(values['latchkey_key_folder_last_read_timestamp_seconds'])
  t.ok(Date.now() / 1000 - read < 60, 'the folder was just read')
})

t.test('the resource service tells of its key set and its verdicts', async (t) => {
  const { access_token: token } = await login()
  for (const _ of [1, 2, 3]) t.equal((await ask('GET /greet', { token, of: resource })).status, 200)
  await ask('GET /greet', { token: `${token}x`, of: resource })
  t.match(await scrape('resource'), {
    'latchkey_verdicts_total{outcome="verified"}': 1,
    'latchkey_verdicts_total{outcome="hit"}': 2,
    'latchkey_verdicts_total{outcome="refused"}': 1,
    latchkey_verdicts_held: 1,
    'latchkey_jwks_state{state="good"}': 1,
    'latchkey_jwks_state{state="empty"}': 0,
    'latchkey_feed_state{state="current"}': 0
  })
})

t.test('the chat tells of its sockets and messages', async (t) => {
  const chat = await startChat(t, auth, portOf('chat'))
  const { access_token: token } = await login()
  const headers = { authorization: `Bearer ${token}` }
  const socket = new WebSocket(`${chat.url.replace('http', 'ws')}/ws`, { headers })
  await once(socket, 'message')
  const { body: room } = await ask('POST /rooms', { token, of: chat, body: { name: 'Tea', visibility: 'public' } })
  socket.send(JSON.stringify({ id: '1', type: 'subscribe', room: room.id }))
  const delivered = new Promise<void>((resolve) => {
    socket.on('message', (data) => String(data).includes('"events"') && String(data).includes('Hello') && resolve())
  })
  const message = { client_id: randomUUID(), text: 'Hello' }
  await once(socket, 'message')
  await ask(`POST /rooms/${room.id}/messages`, { token, of: chat, body: message })
  await delivered
  t.match(await scrape('chat'), {
    'latchkey_sockets{protocol="chat"}': 1,
    'latchkey_sockets{protocol="graphql"}': 0,
    latchkey_subscriptions: 1,
    latchkey_messages_total: 1,
    latchkey_database_up: 1,
    'latchkey_feed_state{state="current"}': 1
  })
  await ask('POST /logout-everywhere', { token })
  await once(socket, 'close')
  // The client may see the end a moment before the service.
  const end = Date.now() + 10_000
  while ((await scrape('chat'))['latchkey_sockets{protocol="chat"}'] !== 0 && Date.now() < end)
    await new Promise((go) => setTimeout(go, 20))
  t.match(await scrape('chat'), {
    'latchkey_sockets{protocol="chat"}': 0,
    'latchkey_socket_closes_total{code="4403"}': 1,
    latchkey_delivery_seconds_count: Number
  })
})

t.test('while the database is away the page still comes, and says so', async (t) => {
  await database.kill()
  t.equal((await ask('POST /login', { body: { email: ada.email, password: ada.password } })).status, 503)
  const away = await scrape('auth')
  t.match(away, { latchkey_database_up: 0, 'latchkey_keys_signing{kind="access"}': 1 })
  t.notOk('latchkey_mail_outbox' in away, 'what cannot be read is missing')
  t.ok(Number(away['latchkey_database_errors_total{class="connection"}']) > 0)
  t.equal(away['latchkey_logins_total{outcome="unavailable"}'], 1)
  await database.start()
  const end = Date.now() + 30_000
  while ((await scrape('auth'))['latchkey_database_up'] !== 1 && Date.now() < end)
    await new Promise((go) => setTimeout(go, 100))
  t.equal((await scrape('auth'))['latchkey_database_up'], 1)
})

t.test('without MANAGEMENT_PORT nothing listens', async (t) => {
  const port = await freePort()
  await resource.stop()
  await resource.start('/readyz', { MANAGEMENT_PORT: '' })
  await t.rejects(fetch(`http://127.0.0.1:${ports.resource}/metrics`))
  t.notMatch(resource.output().split('"stopped"').at(-1), 'metrics at /metrics')
  await resource.stop()
  await t.rejects(resource.start('/readyz', { MANAGEMENT_PORT: new URL(auth.url).port }), /set another MANAGEMENT_PORT/)
  await resource.start('/readyz', { MANAGEMENT_PORT: String(port) })
  t.equal((await fetch(`http://127.0.0.1:${port}/metrics`)).status, 200)
})
