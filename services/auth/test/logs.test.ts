import { connect } from 'node:net'
import { between } from '@latchkey/testing/between'
import { runAsOwner } from '@latchkey/testing/database'
import t from 'tap'
import { startAuth } from './app.ts'
import { claimsOf } from './tokens.ts'

// A walk through everything with secrets that can be found again. Nothing of them may be in any line of the log.
const CANARY = 'canary'
const FIRST = `first ${CANARY} password`
const SECOND = `second ${CANARY} password`
const MET = [
  'content_too_large',
  'email_taken',
  'internal_error',
  'invalid_credentials',
  'invalid_input',
  'invalid_request',
  'invalid_token',
  'missing_token',
  'not_found',
  'too_many_requests',
  'unavailable',
  'unsupported_media_type'
]

t.test('no password, hash, token or key is in any line', async (t) => {
  const auth = await startAuth(t, { env: { LOG_LEVEL: 'trace', RATE_LIMIT_PER_MINUTE: '25' } })
  const ada = await auth.person({ password: FIRST })
  const { access_token: token, refresh_token } = ada
  const secrets = (): Promise<{ password_hash: string; token_hash: string }[]> =>
    auth.database.query("SELECT password_hash, encode(token_hash, 'hex') AS token_hash FROM users")
  const [before] = await secrets()
  const credentials = { email: ada.email, password: FIRST }
  await auth.send('POST /login', { body: { ...credentials, password: `wrong ${CANARY}` } })
  await auth.send('POST /login', { body: { email: 'nobody@example.com', password: CANARY } })
  await auth.send('POST /signup', { body: { ...credentials, username: 'Again' } })
  await auth.send('POST /signup', {
    body: { ...credentials, email: 'short@example.com', username: CANARY, password: CANARY }
  })
  await auth.send('POST /login', { body: `{"password":"${CANARY}` })
  await auth.send('POST /login', { body: `${CANARY}` })
  await auth.send('POST /login', { body: Buffer.from(`"${CANARY}\xff"`, 'latin1') })
  await auth.send('POST /login', { body: { ...credentials, [CANARY]: CANARY } })
  await auth.send('POST /login', { body: { email: CANARY, password: [CANARY] } })
  await auth.send('POST /login', { body: CANARY, headers: { 'content-type': `text/${CANARY}` } })
  await auth.send('POST /login', { body: { password: CANARY.repeat(20_000) } })
  await auth.send(`GET /me?access_token=${token}&${CANARY}=${CANARY}`, { token })
  await auth.send(`GET /nothing?refresh_token=${refresh_token}`)
  await auth.send(`GET /me/%zz?token=${token}`)
  await auth.send('GET /me', { token: `${token}x` })
  await auth.send('GET /me', { token: refresh_token })
  await auth.send('GET /me', { token: CANARY })
  await auth.send('GET /me', { headers: { authorization: [`Bearer ${token}`, CANARY], cookie: `token=${token}` } })
  await auth.send('GET /me', { headers: { authorization: `Basic ${CANARY}` } })
  await auth.send('GET /refresh-token', {
    token: refresh_token,
    headers: { 'user-agent': CANARY, 'x-request-id': CANARY }
  })
  const change = { current_password: FIRST, new_password: SECOND }
  await auth.send('POST /change-password', { token, body: { ...change, current_password: CANARY } })
  await auth.send('POST /change-password', { token, body: { ...change, new_password: ada.email } })
  const { body: changed } = await auth.send('POST /change-password', { token, body: change })
  await auth.send('POST /refresh-token', { token: refresh_token })
  for (let i = 0; i < 30; i += 1) await auth.send('POST /login', { body: { ...credentials, password: SECOND } })
  // PostgreSQL shows the whole row with such an error.
  await runAsOwner(auth.config.DATABASE_URL, 'ALTER TABLE sessions ADD CHECK (false) NOT VALID')
  await auth.send('POST /refresh-token', { token: changed.refresh_token })
  await runAsOwner(auth.config.DATABASE_URL, 'DROP TABLE sessions')
  await auth.send('GET /me', { token: changed.access_token })
  await auth.send('POST /refresh-token', { token: changed.refresh_token })

  const codes = new Set(auth.lines.map(({ code }) => code).filter((code) => code !== undefined))
  t.strictSame([...codes].sort(), MET, 'the walk met all these kinds of failure')
  const hidden = [
    CANARY,
    'eyJ',
    '$2b$',
    'PRIVATE KEY',
    ...[before, ...(await secrets())].map((row) => row?.token_hash),
    claimsOf(refresh_token)['custom_key'],
    claimsOf(changed.refresh_token)['custom_key'],
    ...[token, refresh_token].map((token) => token.split('.')[2])
  ].map(String)
  for (const line of auth.lines) {
    const text = JSON.stringify(line)
    const found = hidden.filter((secret) => text.includes(secret))
    if (found.length > 0) t.fail(`found ${found} in ${text}`)
  }
  between(t, auth.lines.length, { least: 81 }, 'lines were looked through')
})

t.test('each request has a line with who, when, where and what, under the id that its problem shows', async (t) => {
  const auth = await startAuth(t)
  const ada = await auth.person()
  auth.lines.length = 0
  const { body } = await auth.send('POST /login', { body: { email: ada.email, password: 'wrong' }, from: '192.0.2.1' })
  const [refusal, answered, ...more] = auth.lines
  t.strictSame(more, [])
  const common = { service: 'auth', level: 'info', request_id: body.request_id, time: /^\d{4}-.+Z$/ }
  t.match(refusal, { ...common, code: 'invalid_credentials', msg: `wrong password for user ${ada.id}` })
  t.match(answered, {
    ...common,
    req: { method: 'POST', path: '/login', ip: '192.0.2.1' },
    res: { status: 401 },
    ms: Number
  })

  auth.lines.length = 0
  const login = await auth.login(ada)
  const { sid } = claimsOf(login.access_token)
  t.match(auth.lines, [{ event: 'login', user: ada.id, session: sid }, { res: { status: 200 } }])
  t.equal(auth.lines[0]?.request_id, auth.lines[1]?.request_id)
})

t.test('signup, refresh, rename and change are events with their user', async (t) => {
  const auth = await startAuth(t)
  const { id, access_token: token, refresh_token, password } = await auth.person()
  await auth.send('POST /refresh-token', { token: refresh_token })
  await auth.send('PUT /update-username', { token, body: { username: 'Ada' } })
  await auth.send('POST /change-password', {
    token,
    body: { current_password: password, new_password: 'another harbour' }
  })
  const events = auth.lines.filter(({ event }) => event).map(({ event, user }) => [event, user])
  t.strictSame(
    events,
    ['signup', 'login', 'refresh', 'username_changed', 'password_changed'].map((event) => [event, id])
  )
})

t.test('what a client writes breaks no line', async (t) => {
  const auth = await startAuth(t)
  const url = new URL(await auth.app.listen({ port: 0, host: '127.0.0.1' }))
  const forged = '{"level":"fatal","msg":"forged"}'
  const evil = `\r\n${forged}\r\n\u001b[2J\u2028${forged}`
  await auth.send('POST /signup', { body: { email: `a@b${evil}`, username: evil, password: evil } })
  await auth.send('POST /signup', { body: { email: 'a@example.com', username: forged, password: 'x', [evil]: evil } })
  await auth.person({ username: forged, password: `password${forged}`.slice(0, 40) })
  await auth.send(`GET /${encodeURIComponent(evil)}/"{}[]\\`, {
    headers: { 'user-agent': forged, 'x-forwarded-for': forged }
  })
  // Bytes that no client library sends: escape codes and line ends in the head, and no head at all.
  const heads = [`GET /${forged}\u001b[2J HTTP/1.1`, `GET / HTTP/1.1\r\nUser-Agent: \u001b[2J${forged}`, forged]
  for (const head of heads) {
    await new Promise((resolve) => {
      const socket = connect(Number(url.port), url.hostname, () =>
        socket.end(`${head}\r\nHost: x\r\nConnection: close\r\n\r\n`)
      )
      socket.resume().on('close', resolve).on('error', resolve)
    })
  }
  const answered = auth.lines.filter(({ msg }) => msg === 'answered')
  t.equal(answered.length, 5, 'one line a request, for those that were read')
  for (const line of auth.lines) t.match(line, { service: 'auth', level: 'info', msg: /^(?!forged)./ })
})
