import { between } from '@latchkey/testing/between'
import { createDatabase, runAsOwner, serviceUrl } from '@latchkey/testing/database'
import { accessClaims, compact, makeKey, rs256 } from '@latchkey/testing/tokens'
import t, { type Test } from 'tap'
import { loggedBy, sendBytes } from './log-cost/logged-by.ts'
import { CANARY, fill, request, worstRequests } from './log-cost/worst-requests.ts'
import { type Service, startChat, startPair } from './pair.ts'

/** What one request may cost at the most, all its lines together, in bytes. */
const MOST = 2000

const AUTH = [
  'GET /healthz',
  'GET /me',
  'GET /refresh-token',
  'GET /.well-known/jwks.json',
  'GET /docs',
  'POST /login',
  'POST /signup',
  'POST /logout',
  'PUT /update-username',
  'PUT /update-email',
  'POST /verify-email',
  'POST /forgot-password',
  'POST /reset-password',
  'POST /users',
  'GET /audit-log',
  'GET /revocations',
  'POST /signals/:id',
  'GET /.well-known/ssf-configuration',
  'PUT /users/:id/roles',
  'DELETE /sessions/:id',
  'OPTIONS /login',
  'TRACE /login'
]
const CHAT = [
  'GET /healthz',
  'GET /',
  'GET /rooms',
  'POST /rooms',
  'GET /rooms/:room',
  'POST /rooms/:room/join',
  'PUT /rooms/:room/members/:user_id',
  'GET /rooms/:room/bans',
  'POST /rooms/:room/messages',
  'DELETE /rooms/:room/messages/:seq',
  'POST /tickets',
  'POST /graphql',
  'GET /ws',
  'POST /ws'
]
const RESOURCE = ['GET /healthz', 'GET /greet', 'GET /gate', 'GET /openapi.json', 'POST /greet', 'HEAD /greet']

const DATABASE_URL = await serviceUrl(await createDatabase(t))
const settings = {
  DATABASE_URL,
  RATE_LIMIT_PER_MINUTE: '0',
  TRUST_PROXY: '127.0.0.1',
  JWKS_COOLDOWN: '1ms',
  REVOCATION_FEED: 'open'
}
const { auth, resource } = await startPair(t, settings)

/** Asserts what a line costs and shows; returns what the lines cost together. */
function costOf(t: Test, lines: readonly string[], name: string): number {
  const secret = new RegExp(`${CANARY}|eyJ`, 'i')
  // Also after somebody has parsed it: what a terminal obeys is in no text, not even escaped.
  const harmful = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u
  for (const line of lines) {
    if (secret.test(line)) t.fail(`${name}: a line shows what the client sent: ${line}`)
    if (harmful.test(line)) t.fail(`${name}: a line would harm a terminal: ${JSON.stringify(line)}`)
    JSON.parse(line, (key, value) => {
      if (key !== 'stack' && typeof value === 'string' && harmful.test(value)) t.fail(`${name}: so would ${value}`)
      return value
    })
  }
  const cost = lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0)
  if (cost > MOST) t.fail(`${name}: ${cost} bytes: ${lines.join('\n').slice(0, 4000)}`)
  return cost
}

/** As request, without the header that a handshake has otherwise. */
const handshake = (line: string, headers: readonly string[]) =>
  request(line, headers).replace('Connection: close\r\n', '')

async function costs(t: Test, service: Service, requests: ReadonlyMap<string, string>, least = 101): Promise<void> {
  const all = new Map<string, number>()
  for (const [name, bytes] of requests) {
    all.set(name, costOf(t, await loggedBy(service, () => sendBytes(service, bytes)), name))
  }
  const [worst] = [...all].sort(([, a], [, b]) => b - a)
  between(t, all.size, { least }, `${all.size} requests; the worst is ${worst?.join(' with ')} bytes`)
}

t.test('no request of a stranger costs the auth service 2,000 bytes of log, or shows there', async (t) => {
  await costs(t, auth, worstRequests(AUTH))
})

t.test('no request of a stranger costs the resource service 2,000 bytes of log, or shows there', async (t) => {
  await costs(t, resource, worstRequests(RESOURCE))
})

t.test('no request of a stranger costs the chat 2,000 bytes of log, or shows there', async (t) => {
  const chat = await startChat(t, auth, { TRUST_PROXY: '127.0.0.1', JWKS_COOLDOWN: '1ms' })
  await costs(t, chat, worstRequests(CHAT))
  const opening = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']
  const key = `Sec-WebSocket-Key: ${'A'.repeat(22)}==`
  const worst = fill(CANARY, 12_000)
  await costs(
    t,
    chat,
    new Map(
      Object.entries({
        'a long ticket': [`GET /ws?ticket=${worst}`, key],
        'a token in the query': [`GET /ws?token=eyJ${worst}`, key],
        'a token as subprotocol': ['GET /ws', key, `Sec-WebSocket-Protocol: latchkey.chat.v1, bearer.eyJ${worst}`],
        'many subprotocols': ['GET /ws', key, `Sec-WebSocket-Protocol: ${fill(`${CANARY},`, 12_000)}x`],
        'a long origin': ['GET /ws', key, `Origin: https://${worst}.example`],
        'controls as origin': ['GET /ws', key, `Origin: ${fill('\x9b31m\x85', 12_000)}`],
        'a long token': ['GET /ws', key, `Authorization: Bearer ${worst}`],
        'a long key': ['GET /ws', `Sec-WebSocket-Key: ${worst}`]
      }).map(([name, [line = '', ...headers]]) => [name, handshake(line, [...opening, ...headers])])
    ),
    8
  )
})

const json = 'Content-Type: application/json'
const ada = { email: 'ada@example.com', username: 'Ada', password: 'correct horse battery' }

async function logIn(): Promise<{ access_token: string; refresh_token: string }> {
  const { username: _, ...credentials } = ada
  const answer = await sendBytes(auth, request('POST /login', [json], JSON.stringify(credentials)))
  return JSON.parse(answer.slice(answer.indexOf('{"token_type"')).split('\r\n')[0] ?? '')
}

const withToken = (token: string, ...more: string[]) => [`Authorization: Bearer ${token}`, ...more]

t.test('a user or a thief costs no more', async (t) => {
  await sendBytes(auth, request('POST /signup', [json], JSON.stringify(ada)))
  const { access_token, refresh_token } = await logIn()
  const agents = ['\x9b31m\x85', '"\\', '\xff', `eyJ${CANARY}.`, '\t'].map(
    (text) => `User-Agent: x${fill(text, 12_000)}`
  )
  const shows = (agent: string) =>
    request('GET /refresh-token', withToken(refresh_token, agent, 'X-Forwarded-For: \x9b'))
  for (const [i, agent] of agents.entries()) {
    const lines = await loggedBy(auth, () => sendBytes(auth, shows(agent)))
    const events = lines.map((line) => JSON.parse(line).event).filter((event) => event !== undefined)
    t.strictSame(events, [i === 0 ? 'refresh' : 'refresh_converged_elsewhere'])
    costOf(t, lines, 'a convergence')
  }
  const inPath = await loggedBy(auth, () =>
    sendBytes(auth, request(`GET /me/${access_token}`, withToken(access_token), `{"token":"${access_token}"}`))
  )
  costOf(t, inPath, 'a good token in a path')
  for (const line of ['GET /me?a', `DELETE /sessions/${fill(CANARY)}`, `PUT /users/${fill('%C2%9B')}/roles`]) {
    costOf(t, await loggedBy(auth, () => sendBytes(auth, request(line, withToken(access_token)))), line)
  }
})

t.test('a fault of ours costs no more: errors and their causes are cut', async (t) => {
  const { access_token } = await logIn()
  await runAsOwner(DATABASE_URL, 'ALTER TABLE users RENAME COLUMN username TO gone')
  const lines = await loggedBy(auth, () => sendBytes(auth, request('GET /me', withToken(access_token))))
  await runAsOwner(DATABASE_URL, 'ALTER TABLE users RENAME COLUMN gone TO username')
  t.match(
    lines.map((line) => JSON.parse(line)),
    [{ level: 'error', err: { cause: { stack: /^ +at / } } }, { res: {} }]
  )
  costOf(t, lines, 'a database without a column')
  // PostgreSQL tells the whole row with such an error.
  const name = fill(CANARY, 24)
  await runAsOwner(DATABASE_URL, `ALTER TABLE users ADD CONSTRAINT "${name}" CHECK (false) NOT VALID`)
  const rename = JSON.stringify({ username: CANARY })
  const refused = await loggedBy(auth, () =>
    sendBytes(auth, request('PUT /update-username', withToken(access_token, json), rename))
  )
  t.match(JSON.parse(refused[0] ?? ''), { level: 'error', code: 'internal_error' })
  costOf(
    t,
    refused.map((line) => line.replaceAll(name, '')),
    'a constraint'
  )
})

t.test('a token of an unknown key costs no more, whether its issuer can be asked or not', async (t) => {
  const key = await makeKey()
  const ask = async () => {
    const now = Math.floor(Date.now() / 1000)
    const header = { alg: 'RS256', typ: 'at+jwt', kid: fill(CANARY, 128) }
    const claims = { ...accessClaims(auth.url, 'latchkey', now), preferred_username: fill(CANARY, 2000) }
    const token = compact(header, claims, rs256(key))
    return sendBytes(resource, request('GET /greet', withToken(token)))
  }
  const asked = await loggedBy(resource, ask)
  t.match(asked[0], 'key set fetched')
  costOf(t, asked, 'an unknown key')
  await auth.stop()
  const away = await loggedBy(resource, ask)
  t.match(away[0], 'key set not fetched')
  costOf(t, away, 'an unknown key, the issuer away')
})
