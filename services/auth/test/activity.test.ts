import { refusalOf } from '@latchkey/audit/record'
import { eraseLate, writeRefusals } from '@latchkey/audit/write'
import { isProblem } from '@latchkey/testing/problem'
import t from 'tap'
import { disableUser, enableUser, grantRole } from '../src/administration/actions.ts'
import { type Auth, ISSUER, PASSWORD, type Person, startAuth } from './app.ts'
import { claimsOf } from './tokens.ts'

const auth = await startAuth(t)
const { send, database, operator } = auth

const seal = () => database.query('SELECT audit_seal(10000)')
const FROM = { ada: '198.51.100.7', root: '203.0.113.99', eve: '192.0.2.66' }

async function admin({ send, person, operator }: Auth = auth): Promise<Person> {
  const root = await person()
  await grantRole(operator, { id: root.id }, 'admin')
  const { email, password } = root
  const { body } = await send('POST /login', { body: { email, password, resource: ISSUER }, from: FROM.root })
  return { ...root, ...body }
}

async function activityOf(token: string) {
  await seal()
  const { status, body } = await send('GET /me/activity', { token })
  t.equal(status, 200)
  return body.activity
}

t.test('who did what to an account, the newest first, and from where it was done by its user', async (t) => {
  const ada = await auth.person()
  const headers = { 'user-agent': 'Browser/1.0' }
  const body = { username: 'Ada' }
  await send('PUT /update-username', { token: ada.access_token, body, from: FROM.ada, headers })
  await disableUser(operator, { id: ada.id })
  await enableUser(operator, { id: ada.id })
  const { email, password } = ada
  const again = await send('POST /login', { body: { email, password }, from: FROM.ada, headers })
  const sid = claimsOf(again.body.access_token)['sid']
  const client = { ip: FROM.ada, user_agent: 'Browser/1.0' }
  const none = { ip: null, user_agent: null }
  const activity = await activityOf(again.body.access_token)
  t.match(activity.slice(0, 4), [
    { event: 'login', outcome: 'done', by: 'me', session_id: sid, ...client },
    { event: 'user_enabled', outcome: 'done', by: 'operator', session_id: null, ...none },
    { event: 'user_disabled', outcome: 'done', by: 'operator', session_id: null, ...none },
    { event: 'username_changed', outcome: 'done', by: 'me', ...client }
  ])
  t.strictSame(
    activity.slice(4).map(({ event }: { event: string }) => event),
    ['login', 'signup']
  )
  t.strictSame(Object.keys(activity[0]).sort(), ['at', 'by', 'event', 'ip', 'outcome', 'session_id', 'user_agent'])
  t.match(activity[0].at, /^\d{4}-\d\d-\d\dT[\d:]+\.\d{6}Z$/)
})

t.test('nothing in it is of another person: no address, session or id of an administrator or a stranger', async (t) => {
  const [root, ada, eve] = [await admin(), await auth.person(), await auth.person()]
  const from = FROM.root
  await send(`PUT /users/${ada.id}/roles`, { token: root.access_token, body: { roles: ['editor'] }, from })
  await send(`GET /audit-log?user=${ada.id}`, { token: root.access_token, from })
  const refused = {
    event: 'user_disabled',
    outcome: 'refused',
    code: 'insufficient_scope',
    actor: { kind: 'user', id: eve.id, session: String(claimsOf(eve.access_token)['sid']) },
    target: { kind: 'user', id: ada.id },
    source: { ip: FROM.eve, userAgent: 'Evil/1.0' }
  } as const
  const aimed = { event: 'login', outcome: 'refused', code: 'invalid_credentials', account: ada.id } as const
  const source = { ip: '192.0.2.200', userAgent: 'Guess/1.0' }
  await writeRefusals(database, [refusalOf(refused)])
  await writeRefusals(database, [refusalOf({ ...aimed, source })])
  const { email, password } = ada
  const { body } = await send('POST /login', { body: { email, password } })
  const activity = await activityOf(body.access_token)
  t.match(activity.slice(1, 4), [
    { event: 'login', outcome: 'refused', code: 'invalid_credentials', by: 'stranger', ip: '192.0.2.200' },
    { event: 'user_disabled', outcome: 'refused', code: 'insufficient_scope', by: 'stranger', ip: null },
    { event: 'roles_changed', outcome: 'done', by: 'admin', session_id: null, ip: null, user_agent: null }
  ])
  const text = JSON.stringify(activity)
  const sessions = [root, eve].map(({ access_token }) => String(claimsOf(access_token)['sid']))
  for (const other of [root.id, eve.id, ...sessions, FROM.root, FROM.eve, 'Evil/1.0', 'audit_read']) {
    t.notMatch(text, other)
  }
  t.match(await activityOf(root.access_token), [{ event: 'audit_read', by: 'me', ip: FROM.root }])
})

t.test('it has the last 100, and only with a token of a live session', async (t) => {
  const ada = await auth.person()
  for (let i = 0; i < 101; i += 1) {
    await send('PUT /update-username', { token: ada.access_token, body: { username: `Ada ${i}` } })
  }
  const activity = await activityOf(ada.access_token)
  t.equal(activity.length, 100)
  t.notOk(activity.some(({ event }: { event: string }) => event === 'login'))
  isProblem(t, await send('GET /me/activity'), 'missing_token')
  isProblem(t, await send('GET /me/activity', { token: ada.refresh_token }), 'invalid_token')
  await send('POST /logout-everywhere', { token: ada.access_token })
  isProblem(t, await send('GET /me/activity', { token: ada.access_token }), 'invalid_token')
})

/** The tables and columns of the database in which a text stands somewhere. */
async function placesOf({ database }: Auth, text: string): Promise<string[]> {
  const columns = await database.query<{ table: string; column: string }>(
    `SELECT table_name AS table, column_name AS column FROM information_schema.columns
      WHERE table_schema = 'public' AND data_type NOT IN ('boolean', 'bigint', 'integer', 'smallint', 'uuid')`
  )
  const found: string[] = []
  for (const { table, column } of columns) {
    const value = `CASE WHEN pg_typeof("${column}") = 'bytea'::regtype THEN encode("${column}"::text::bytea, 'escape') ELSE "${column}"::text END`
    const rows = await database.query(`SELECT 1 FROM "${table}" WHERE strpos(lower(${value}), lower($1)) > 0`, [text])
    if (rows.length > 0) found.push(`${table}.${column}`)
  }
  return found
}

for (const [how, remove] of Object.entries({
  'DELETE /me': (at: Auth, ada: Person) =>
    at.send('DELETE /me', { token: ada.access_token, body: { current_password: PASSWORD }, from: FROM.ada }),
  'DELETE /users/:id': async (at: Auth, ada: Person) => {
    const root = await admin(at)
    return at.send(`DELETE /users/${ada.id}`, { token: root.access_token, from: FROM.root })
  }
})) {
  t.test(
    `after ${how}, address, name and client of a person are nowhere, nor after requests that end later`,
    async (t) => {
      const own = await startAuth(t)
      const ada = await own.person({ email: 'Ada.Canary@example.com', username: 'Ada Canary' })
      const headers = { 'user-agent': 'CanaryBrowser/1.0' }
      const { email, password } = ada
      await own.send('POST /login', { body: { email, password }, from: FROM.ada, headers })
      const body = { username: 'Ada Canary the second' }
      await own.send('PUT /update-username', { token: ada.access_token, body, from: FROM.ada, headers })
      const texts = ['canary', FROM.ada]
      for (const text of texts) t.not((await placesOf(own, text)).length, 0, `${text} is there before`)
      await own.database.query('SELECT audit_seal(3)')
      // Under way, or written only later.
      const wrong = own.send('POST /login', { body: { email, password: 'wrong' }, from: FROM.ada, headers })
      const refused = own.send('PUT /update-username', { token: ada.access_token, body: {}, from: FROM.ada, headers })
      t.equal((await remove(own, ada)).status, 204)
      isProblem(t, await wrong, 'invalid_credentials')
      t.not((await refused).status, 200)
      const kept = await own.database.query(
        "SELECT event FROM audit_records WHERE person_id = $1 AND outcome = 'done' AND personal IS NOT NULL",
        [ada.id]
      )
      t.strictSame(kept, [], 'erased at once')
      await own.refusals.close()
      await own.database.query('SELECT audit_seal(10000)')
      await eraseLate(own.database)
      for (const text of texts) t.strictSame(await placesOf(own, text), [], text)

      const source = { ip: FROM.ada, userAgent: 'CanaryBrowser/1.0' }
      const actor = { kind: 'user', id: ada.id, session: String(claimsOf(ada.access_token)['sid']) } as const
      const late = { event: 'login', outcome: 'refused', code: 'invalid_credentials', source } as const
      await writeRefusals(own.database, [
        refusalOf({ ...late, account: ada.id }),
        refusalOf({ ...late, event: 'username_changed', actor })
      ])
      await own.database.query('SELECT audit_seal(10000)')
      for (const text of texts) t.not((await placesOf(own, text)).length, 0, `${text} came late`)
      await eraseLate(own.database)
      for (const text of texts) t.strictSame(await placesOf(own, text), [], `${text}, of what came late`)
      t.equal(await eraseLate(own.database), 0)
    }
  )
}
