import { randomUUID } from 'node:crypto'
import type { Answer } from '@latchkey/testing/problem'
import t, { type Test } from 'tap'
import { grantRole } from '../src/administration/actions.ts'
import { type Auth, ISSUER, PASSWORD, type Person, type Sending, startAuth } from './app.ts'
import { ROW, type Row } from './audit-rows.ts'
import { claimsOf, sidOf } from './tokens.ts'

const rowsOf = ({ database }: Auth, requests: readonly string[]) =>
  database.query<Row>(
    `SELECT ${ROW}
       FROM audit_records WHERE request_id = ANY ($1::uuid[]) ORDER BY at, id`,
    [requests]
  )

interface Refusal {
  readonly line: string
  readonly sending?: Sending
  readonly code: string
  /** What its record says besides what all of this table have. Nothing: it leaves none. */
  readonly record?: Partial<Row>
}

const stranger = { actor_kind: 'stranger', actor_id: null, session_id: null }
const noTarget = { target_kind: null, target_id: null }
const userTarget = (id: string) => ({ target_kind: 'user', target_id: id })
const forged = 'eyJhbGciOiJSUzI1NiJ9.e30.AAAA'

function refusalsOf(ada: Person, root: Person, admin: string): Refusal[] {
  const { access_token: token } = ada
  const actorOf = (kind: string, { id }: Person, session: string) => ({
    actor_kind: kind,
    actor_id: id,
    session_id: sidOf(session),
    person_id: id
  })
  const self = { ...actorOf('user', ada, token), ...userTarget(ada.id) }
  const byRoot = actorOf('admin', root, admin)
  const nobody = { ...stranger, ...noTarget, person_id: null }
  const wrong = { current_password: 'not this one' }
  const unknown = randomUUID()
  const login = (email: string) => ({ body: { email, password: 'not this one' } })
  const signup = { email: ada.email, username: 'Other', password: PASSWORD }
  const of = (event: string, more: Partial<Row>) => ({ event, ...more })
  return [
    { line: 'POST /signup', sending: { body: signup }, code: 'email_taken', record: of('signup', nobody) },
    { line: 'POST /signup', sending: { body: {} }, code: 'invalid_input', record: of('signup', nobody) },
    {
      line: 'POST /login',
      sending: login(ada.email),
      code: 'invalid_credentials',
      record: of('login', { ...stranger, ...userTarget(ada.id), person_id: ada.id })
    },
    { line: 'POST /login', sending: login('nobody@x.org'), code: 'invalid_credentials', record: of('login', nobody) },
    {
      line: 'POST /signin',
      sending: { ...login(ada.email), headers: { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' } },
      code: 'cross_site',
      record: of('login', nobody)
    },
    { line: 'PUT /update-username', code: 'missing_token', record: of('username_changed', nobody) },
    {
      line: 'PUT /update-username',
      sending: { token, body: { name: 1 } },
      code: 'invalid_input',
      record: of('username_changed', self)
    },
    {
      line: 'POST /change-password',
      sending: { token, body: { ...wrong, new_password: 'a staple of another kind' } },
      code: 'invalid_credentials',
      record: of('password_changed', self)
    },
    {
      line: 'PUT /update-email',
      sending: { token, body: { ...wrong, email: 'new@example.com' } },
      code: 'invalid_credentials',
      record: of('email_change_asked', self)
    },
    {
      line: 'DELETE /me',
      sending: { token, body: wrong },
      code: 'invalid_credentials',
      record: of('account_deleted', self)
    },
    {
      line: `DELETE /sessions/${unknown}`,
      sending: { token: forged },
      code: 'invalid_token',
      record: of('session_ended', { ...stranger, target_kind: 'session', target_id: unknown, person_id: null })
    },
    {
      line: 'DELETE /sessions/none',
      sending: { token },
      code: 'invalid_input',
      record: of('session_ended', { ...self, ...noTarget })
    },
    { line: 'POST /logout', sending: { token: forged }, code: 'invalid_token', record: of('logout', nobody) },
    {
      line: 'POST /logout-everywhere',
      sending: { token: forged },
      code: 'invalid_token',
      record: of('logout_everywhere', nobody)
    },
    {
      line: 'POST /verify-email',
      sending: { body: { email: 'nobody@x.org', code: 'AAAA-AAAA-AAAA' } },
      code: 'invalid_code',
      record: of('email_verified', nobody)
    },
    {
      line: 'POST /reset-password',
      sending: { body: { email: 'nobody@x.org', code: 'AAAA-AAAA-AAAA', new_password: PASSWORD } },
      code: 'invalid_code',
      record: of('password_reset', nobody)
    },
    {
      line: `PUT /users/${root.id}/roles`,
      sending: { token, body: { roles: ['admin'] } },
      code: 'insufficient_scope',
      record: of('roles_changed', { ...self, ...userTarget(root.id) })
    },
    {
      line: `POST /users/${root.id}/disable`,
      sending: { token: admin },
      code: 'last_admin',
      record: of('user_disabled', { ...byRoot, ...userTarget(root.id) })
    },
    ...(['enable', 'end-sessions'] as const).map((what) => ({
      line: `POST /users/${unknown.toUpperCase()}/${what}`,
      sending: { token: admin },
      code: 'not_found',
      record: of(what === 'enable' ? 'user_enabled' : 'sessions_ended', { ...byRoot, ...userTarget(unknown) })
    })),
    {
      line: `DELETE /users/${unknown}`,
      sending: { token: admin },
      code: 'not_found',
      record: of('account_deleted', { ...byRoot, ...userTarget(unknown) })
    },
    {
      line: 'POST /users',
      sending: { token, body: { email: 'new@example.com' } },
      code: 'insufficient_scope',
      record: of('user_invited', { ...actorOf('user', ada, token), ...noTarget })
    },
    {
      line: 'DELETE /users/none',
      sending: { token: admin },
      code: 'invalid_input',
      record: of('account_deleted', { ...byRoot, ...noTarget })
    },
    {
      line: 'GET /me',
      sending: { token: forged },
      code: 'invalid_token',
      record: of('refused', { ...nobody, detail: { code: 'invalid_token', route: 'GET /me' } })
    },
    {
      line: 'GET /users',
      sending: { token },
      code: 'insufficient_scope',
      record: of('refused', {
        ...actorOf('user', ada, token),
        ...noTarget,
        detail: { code: 'insufficient_scope', route: 'GET /users' }
      })
    },
    { line: 'GET /me', code: 'missing_token' },
    { line: 'GET /nowhere', code: 'not_found' },
    { line: 'PATCH /login', code: 'method_not_allowed' }
  ]
}

async function startWithAdmin(t: Test) {
  const auth = await startAuth(t)
  const [ada, root] = [await auth.person(), await auth.person()]
  await grantRole(auth.operator, root, 'admin')
  const body = { email: root.email, password: root.password, resource: ISSUER }
  const { access_token: admin } = (await auth.send('POST /login', { body })).body
  return { auth, ada, root, admin: String(admin) }
}

t.test('every refusal leaves exactly its record, and none of it holds a secret', async (t) => {
  const { auth, ada, root, admin } = await startWithAdmin(t)
  const table = refusalsOf(ada, root, admin)
  const headers = { 'user-agent': 'Browser/1.0' }
  const answers: Answer[] = []
  for (const [i, { line, sending, code }] of table.entries()) {
    const from = `192.0.2.${i + 1}`
    const answer = await auth.send(line, { ...sending, headers: { ...headers, ...sending?.headers }, from })
    t.equal(answer.body.code, code, line)
    answers.push(answer)
  }
  await auth.refusals.close()
  const rows = await rowsOf(
    auth,
    answers.map(({ body }) => body.request_id)
  )
  for (const [i, { line, code, record }] of table.entries()) {
    const own = rows.filter(({ request_id }) => request_id === answers[i]?.body.request_id)
    t.equal(own.length, record ? 1 : 0, `${line} ${code}: records`)
    if (!record) continue
    const client = { ip: `192.0.2.${i + 1}`, user_agent: 'Browser/1.0' }
    t.match(own[0], { outcome: 'refused', detail: { code }, personal: client, ...record }, `${line} ${code}`)
    t.strictSame(own[0]?.personal, client, 'and no more of the client')
  }
  // Every column as text, of all that happened here.
  const all = JSON.stringify(await auth.database.query('SELECT r::text AS text FROM audit_records r'))
  const secrets = [PASSWORD, 'not this one', 'AAAA-AAAA-AAAA', 'eyJ', 'nobody@x.org', '$2b$']
  for (const secret of [...secrets, String(claimsOf(ada.refresh_token)['custom_key'])]) t.notMatch(all, secret)
})

t.test('the same refusal again is a number, and a flood of one client is bounded', async (t) => {
  const auth = await startAuth(t)
  const ada = await auth.person()
  const body = { email: ada.email, password: 'not this one' }
  for (let i = 0; i < 3; i += 1) await auth.send('POST /logout', { token: forged, from: '2001:db8:1:2::7' })
  await auth.send('POST /logout', { token: forged, from: '2001:db8:1:2:ffff::8' })
  t.equal((await auth.send('POST /login', { body, from: '192.0.2.1' })).status, 401)
  // Each aims at another session, so each is a record of its own.
  for (let i = 0; i < 120; i += 1) {
    await auth.send(`DELETE /sessions/${randomUUID()}`, { token: ada.access_token, from: '192.0.2.2', body: {} })
  }
  await auth.refusals.close()
  const rows = await auth.database.query<Row>(
    "SELECT event, detail FROM audit_records WHERE outcome <> 'done' OR event = 'audit_left_out'"
  )
  const of = (event: string) => rows.filter((row) => row.event === event).map(({ detail }) => detail)
  t.strictSame(
    of('logout').sort((a, b) => Number(a['repeated'] ?? 0) - Number(b['repeated'] ?? 0)),
    [{ code: 'invalid_token' }, { code: 'invalid_token', repeated: 3 }]
  )
  t.equal(of('login').length, 1, 'and another client’s is written')
  const [leftOut] = of('audit_left_out')
  t.equal(of('session_ended').length + Number(leftOut?.['refusals']), 120)
  t.equal(of('session_ended').length, 50)
})

t.test('a genuine token of a session that is over is recorded for its user and session', async (t) => {
  const auth = await startAuth(t)
  const ada = await auth.person()
  const { access_token: token, refresh_token } = ada
  await auth.send('POST /logout', { token: refresh_token })
  const request = async (line: string, sending: Sending) => {
    await auth.send(line, sending)
    return auth.lines.at(-1)?.request_id ?? ''
  }
  const requests = [
    await request('GET /me', { token, from: '192.0.2.1' }),
    await request('PUT /update-username', { token, body: { username: 'Eve' }, from: '192.0.2.2' }),
    await request('POST /refresh-token', { token: refresh_token, from: '192.0.2.3' })
  ]
  await auth.refusals.close()
  const of = { ...stranger, session_id: sidOf(token), ...userTarget(ada.id), person_id: ada.id, outcome: 'refused' }
  t.match(
    await rowsOf(auth, requests),
    [
      { ...of, event: 'refused', detail: { route: 'GET /me' } },
      { ...of, event: 'username_changed' },
      { ...of, event: 'refused', detail: { route: 'POST /refresh-token' } }
    ],
    'and is erased with them'
  )
})
