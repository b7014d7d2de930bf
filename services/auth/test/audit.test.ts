import { isProblem } from '@latchkey/testing/problem'
import t from 'tap'
import {
  disableUser,
  enableUser,
  endSessions,
  grantRole,
  revokeRole,
  verifyUser
} from '../src/administration/actions.ts'
import { logOutEverywhere, revokeEverybody } from '../src/sessions/revocation.ts'
import { type Auth, ISSUER, PASSWORD, startAuth } from './app.ts'
import { ROW, type Row } from './audit-rows.ts'
import { startWithMail } from './mail.ts'
import { sidOf } from './tokens.ts'

const NEW = 'staple of another kind'

/** The records of what `work` does, without the keys'. */
async function recordsOf({ database }: Auth, work: () => Promise<unknown>): Promise<Row[]> {
  const known = await database.query<{ id: string }>('SELECT id FROM audit_records')
  await work()
  return database.query<Row>(
    `SELECT ${ROW}
       FROM audit_records WHERE id <> ALL ($1) ORDER BY at, id`,
    [known.map(({ id }) => id)]
  )
}

t.test('each action of a user leaves exactly its record', async (t) => {
  const { server, auth } = await startWithMail(t, { env: {} })
  const { send } = auth
  const headers = { 'user-agent': 'Browser/1.0' }
  const email = 'ada@example.com'
  const body = { email, username: 'Ada', password: PASSWORD }
  let ada = { id: '', access_token: '', refresh_token: '' }
  const client = { ip: '127.0.0.1', user_agent: 'Browser/1.0' }
  const record = (event: string, more: Partial<Row> = {}): Partial<Row> => ({
    event,
    outcome: 'done',
    actor_kind: 'user',
    actor_id: ada.id,
    target_kind: 'user',
    target_id: ada.id,
    person_id: ada.id,
    detail: {},
    personal: client,
    ...more
  })
  const check = async (name: string, work: () => Promise<unknown>, expected: () => Partial<Row>[]) => {
    const rows = await recordsOf(auth, work)
    t.match(rows, expected(), name)
    t.equal(rows.length, expected().length, `${name}: no more records`)
  }

  await check(
    'signup',
    async () => {
      ada = { ...ada, ...(await send('POST /signup', { body, headers })).body }
    },
    () => [record('signup', { session_id: null, personal: { ...client, email, username: 'Ada' } })]
  )
  const logIn = async (path = '/login', more = {}) => {
    const answer = await send(`POST ${path}`, {
      body: { email, password: body.password },
      headers: { ...headers, ...more }
    })
    ada = { ...ada, ...answer.body }
    return answer
  }
  const ofSession = (event: string, session: string, more: Partial<Row> = {}) =>
    record(event, { session_id: session, target_kind: 'session', target_id: session, ...more })
  await check('login', logIn, () => [ofSession('login', sidOf(ada.access_token))])
  const { access_token: token } = ada
  const session_id = sidOf(token)
  const { code } = await server.take(email, 'Confirm')
  await check(
    'verify-email',
    () => send('POST /verify-email', { body: { email, code }, headers }),
    () => [record('email_verified', { session_id: null })]
  )
  await check(
    'update-username',
    () => send('PUT /update-username', { token, body: { username: 'Ada L' }, headers }),
    () => [record('username_changed', { session_id, personal: { ...client, username: 'Ada L' } })]
  )
  await check(
    'update-email',
    () => send('PUT /update-email', { token, body: { email: 'new@example.com', current_password: PASSWORD }, headers }),
    () => [record('email_change_asked', { session_id, personal: client })]
  )
  const change = await server.take('new@example.com')
  await check(
    'verify-email of the new address',
    () => send('POST /verify-email', { token, body: { email: 'new@example.com', code: change.code }, headers }),
    () => [record('email_changed', { session_id, personal: { ...client, email: 'new@example.com' } })]
  )
  Object.assign(body, { email: 'new@example.com' })
  await check(
    'change-password',
    async () => {
      const passwords = { current_password: PASSWORD, new_password: NEW }
      ada = { ...ada, ...(await send('POST /change-password', { token, body: passwords, headers })).body }
    },
    () => [record('password_changed', { session_id, detail: { opened: sidOf(ada.access_token) } })]
  )
  await check(
    'refresh',
    () => send('POST /refresh-token', { token: ada.refresh_token, headers }),
    () => []
  )
  await check(
    'logout-everywhere',
    () => send('POST /logout-everywhere', { token: ada.access_token, headers }),
    () => [record('logout_everywhere', { session_id: sidOf(ada.access_token) })]
  )
  let reset = { code: '' }
  await check(
    'forgot-password',
    async () => {
      await send('POST /forgot-password', { body: { email: body.email }, headers })
      await send('POST /forgot-password', { body: { email: 'nobody@example.com' }, headers })
      reset = await server.take(body.email, 'new password')
    },
    () => [record('password_reset_asked', { actor_kind: 'stranger', actor_id: null, session_id: null })]
  )
  await check(
    'reset-password',
    () =>
      send('POST /reset-password', { body: { email: body.email, code: reset.code, new_password: PASSWORD }, headers }),
    () => [record('password_reset', { session_id: null })]
  )
})

t.test('each end of a session leaves exactly its record', async (t) => {
  const auth = await startAuth(t, { env: { REFRESH_REUSE_WINDOW: '0s' } })
  const { send, login } = auth
  const ada = await auth.person()
  const other = await login(ada)
  const [sid, otherSid] = [sidOf(ada.access_token), sidOf(other.access_token)]
  const base = { outcome: 'done', actor_kind: 'user', actor_id: ada.id, target_kind: 'session', person_id: ada.id }
  const ended = await recordsOf(auth, () => send(`DELETE /sessions/${otherSid}`, { token: ada.access_token }))
  t.match(ended, [{ ...base, event: 'session_ended', session_id: sid, target_id: otherSid }])
  t.equal(ended.length, 1)
  const again = await recordsOf(auth, () => send('POST /logout', { token: other.refresh_token }))
  t.strictSame(again, [], 'the logout of a session that is over changes nothing')

  const third = await login(ada)
  const left = await recordsOf(auth, () => send('POST /logout', { token: third.refresh_token }))
  t.match(left, [
    { ...base, event: 'logout', session_id: sidOf(third.access_token), target_id: sidOf(third.access_token) }
  ])

  const next = (await send('POST /refresh-token', { token: ada.refresh_token })).body
  const stolen = await recordsOf(auth, async () => {
    isProblem(t, await send('POST /refresh-token', { token: ada.refresh_token }), 'invalid_token')
    isProblem(t, await send('POST /refresh-token', { token: next.refresh_token }), 'invalid_token')
  })
  const theft = { event: 'refresh_reuse', outcome: 'done', actor_kind: 'stranger', actor_id: null, target_kind: 'user' }
  t.match(
    stolen.filter(({ outcome }) => outcome === 'done'),
    [{ ...theft, target_id: ada.id, person_id: ada.id, session_id: sid, detail: { shown: 0, current: 1 } }]
  )

  for (let i = 0; i < 100; i += 1) await login(ada)
  const evicted = await recordsOf(auth, () => login(ada))
  t.match(evicted.map(({ event }) => event).sort(), ['login', 'session_evicted'])
})

t.test('each action of an administrator, and of an operator, leaves exactly its record', async (t) => {
  const auth = await startAuth(t, { env: {} })
  const { send, operator } = auth
  const ada = await auth.person()
  const root = await auth.person()
  await grantRole(operator, root, 'admin')
  const credentials = { email: root.email, password: root.password, resource: ISSUER }
  const { access_token: token } = (await send('POST /login', { body: credentials })).body
  const byAdmin: [line: string, body: unknown, event: string, detail: object][] = [
    [`PUT /users/${ada.id}/roles`, { roles: ['editor'] }, 'roles_changed', { roles: ['user', 'editor'] }],
    [`POST /users/${ada.id}/disable`, undefined, 'user_disabled', {}],
    [`POST /users/${ada.id}/enable`, undefined, 'user_enabled', {}],
    [`POST /users/${ada.id}/end-sessions`, undefined, 'sessions_ended', {}],
    [`DELETE /users/${ada.id}`, undefined, 'account_deleted', {}]
  ]
  for (const [line, body, event, detail] of byAdmin) {
    const rows = await recordsOf(auth, () => send(line, { token, body }))
    t.strictSame(
      rows.map(({ request_id, personal, ...row }) => row),
      [
        {
          event,
          outcome: 'done',
          actor_kind: 'admin',
          actor_id: root.id,
          session_id: sidOf(token),
          target_kind: 'user',
          target_id: ada.id,
          detail,
          person_id: root.id
        }
      ],
      line
    )
    t.match(rows[0], { request_id: /^[\da-f-]{36}$/, personal: { ip: '127.0.0.1' } })
  }

  const eve = await auth.person()
  const byOperator: [event: string, work: () => Promise<unknown>, detail: object][] = [
    ['roles_changed', () => grantRole(operator, eve, 'editor'), { roles: ['user', 'editor'] }],
    ['roles_changed', () => revokeRole(operator, eve, 'editor'), { roles: ['user'] }],
    ['user_disabled', () => disableUser(operator, eve), {}],
    ['user_enabled', () => enableUser(operator, eve), {}],
    ['sessions_ended', () => endSessions(operator, eve), {}],
    ['email_verified', () => verifyUser(operator, eve), {}]
  ]
  for (const [event, work, detail] of byOperator) {
    t.strictSame(await recordsOf(auth, work), [
      {
        event,
        outcome: 'done',
        actor_kind: 'operator',
        actor_id: null,
        session_id: null,
        target_kind: 'user',
        target_id: eve.id,
        request_id: null,
        detail: { ...detail, command: 'test' },
        person_id: null,
        personal: null
      }
    ])
  }
  t.match(await recordsOf(auth, () => revokeEverybody(operator, { command: 'test', ahead: 5 })), [
    { event: 'admin_command', actor_kind: 'operator', target_id: null, detail: { command: 'test', accounts: 2 } }
  ])
})

t.test('what is rolled back leaves no record and no line', async (t) => {
  const auth = await startAuth(t, { env: {} })
  const ada = await auth.person()
  const before = auth.lines.length
  const stale = { ...ada, token_hash: Buffer.alloc(32), sid: sidOf(ada.access_token) }
  const rows = await recordsOf(auth, () =>
    t.rejects(logOutEverywhere(auth.operator, stale as never), { code: 'invalid_token' })
  )
  t.strictSame(rows, [])
  t.strictSame(auth.lines.slice(before), [])
})

t.test('what is refused is a record of its own, and what was done is none', async (t) => {
  const auth = await startAuth(t, { env: {} })
  const { send, database, refusals } = auth
  const ada = await auth.person()
  const known = await database.query<{ id: string }>('SELECT id FROM audit_records')
  const log = (body: object) => send('POST /login', { body: { password: 'wrong', ...body }, from: '192.0.2.7' })
  for (let i = 0; i < 3; i += 1) await log({ email: ada.email })
  await log({ email: 'nobody@example.com' })
  await send('GET /users', { token: ada.access_token })
  await refusals.close()
  const rows = await database.query<Row>(
    `SELECT event, outcome, actor_kind, target_kind, target_id, detail, person_id, personal
       FROM audit_records WHERE id <> ALL ($1) ORDER BY at, id`,
    [known.map(({ id }) => id)]
  )
  const code = 'invalid_credentials'
  const refused = { event: 'login', outcome: 'refused', actor_kind: 'stranger', personal: { ip: '192.0.2.7' } }
  const aimed = { ...refused, target_kind: 'user', target_id: ada.id, person_id: ada.id }
  const order = ({ detail, person_id }: Partial<Row>) => JSON.stringify([detail, person_id])
  const sorted = (some: Partial<Row>[]) => some.sort((a, b) => order(a).localeCompare(order(b)))
  t.match(
    sorted(rows),
    sorted([
      {
        event: 'refused',
        actor_kind: 'user',
        target_kind: null,
        person_id: ada.id,
        detail: { code: 'insufficient_scope', route: 'GET /users' }
      },
      { ...aimed, detail: { code, repeated: 2 } },
      { ...refused, target_id: null, person_id: null, detail: { code } },
      { ...aimed, detail: { code } }
    ])
  )
})
