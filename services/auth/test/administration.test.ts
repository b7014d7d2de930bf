import { between } from '@latchkey/testing/between'
import { isProblem } from '@latchkey/testing/problem'
import t from 'tap'
import { disableUser, grantRole, revokeRole, setRoles } from '../src/administration/actions.ts'
import { ISSUER, type Person, startAuth } from './app.ts'
import { liveSessions } from './sessions.ts'
import { claimsOf } from './tokens.ts'

const auth = await startAuth(t)
const { send, database, operator } = auth

async function admin(own: Partial<Person> = {}): Promise<Person> {
  const person = await auth.person(own)
  await grantRole(operator, { id: person.id }, 'admin')
  const { email, password } = person
  const { body } = await send('POST /login', { body: { email, password, resource: ISSUER } })
  return { ...person, ...body }
}

const root = await admin()
const asRoot = (line: string, body?: unknown) => send(line, { token: root.access_token, body })

t.test('only users with the role in their row may administrate, whatever their token says', async (t) => {
  const ada = await auth.person()
  const lines = ['GET /users', 'GET /audit-log', `PUT /users/${ada.id}/roles`, `DELETE /users/${ada.id}`]
  const posts = ['disable', 'enable', 'end-sessions'].map((what) => `POST /users/${ada.id}/${what}`)
  for (const line of [...lines, ...posts]) {
    isProblem(t, await send(line, { token: ada.access_token }), 'insufficient_scope', [], line)
    isProblem(t, await send(line), 'missing_token', [], line)
  }
  t.equal(await liveSessions(database, ada.id), 1)
})

t.test('a role is in the next access token, and the one from before is refused here', async (t) => {
  const ada = await auth.person()
  const answer = await asRoot(`PUT /users/${ada.id}/roles`, { roles: ['moderator'] })
  t.match(answer, { status: 200, body: { id: ada.id, roles: ['user', 'moderator'], disabled_at: null } })
  isProblem(t, await send('GET /me', { token: ada.access_token }), 'invalid_token')
  const { body } = await send('POST /refresh-token', { token: ada.refresh_token })
  t.same(claimsOf(body.access_token)['roles'], ['user', 'moderator'], 'the session goes on')
  t.equal((await send('GET /me', { token: body.access_token })).status, 200)
})

t.test('roles that are none are refused', async (t) => {
  const path = `PUT /users/${root.id}/roles`
  for (const roles of ['admin', [1], ['Admin'], [''], ['a'.repeat(33)], Array(17).fill('a'), ['a', 'a']]) {
    t.equal((await asRoot(path, { roles })).status, 400, JSON.stringify(roles))
  }
  isProblem(t, await asRoot(`PUT /users/${crypto.randomUUID()}/roles`, { roles: [] }), 'not_found')
  isProblem(t, await asRoot('PUT /users/me/roles', { roles: [] }), 'invalid_input', ['id'])
})

t.test('an id in capital letters is the same id (RFC 9562)', async (t) => {
  const ada = await auth.person()
  const id = ada.id.toUpperCase()
  t.match((await asRoot(`PUT /users/${id}/roles`, { roles: ['moderator'] })).body, {
    id: ada.id,
    roles: ['user', 'moderator']
  })
  t.match((await asRoot(`POST /users/${id}/disable`)).body, { id: ada.id, disabled_at: String })
  t.match((await asRoot(`POST /users/${id}/enable`)).body, { id: ada.id, disabled_at: null })
  t.equal((await asRoot(`POST /users/${id}/end-sessions`)).status, 204)
  t.equal((await asRoot(`DELETE /users/${id}`)).status, 204)
  isProblem(t, await asRoot(`DELETE /users/${ada.id}`), 'not_found')
})

t.test('a disabled user is out at once and cannot log in; enabled again, they can', async (t) => {
  const ada = await auth.person()
  t.match((await asRoot(`POST /users/${ada.id}/disable`)).body, { disabled_at: String })
  isProblem(t, await send('GET /me', { token: ada.access_token }), 'invalid_token')
  isProblem(t, await send('POST /refresh-token', { token: ada.refresh_token }), 'invalid_token')
  const login = () => send('POST /login', { body: { email: ada.email, password: ada.password } })
  isProblem(t, await login(), 'account_disabled')
  t.match((await asRoot(`POST /users/${ada.id}/enable`)).body, { disabled_at: null })
  isProblem(t, await send('POST /refresh-token', { token: ada.refresh_token }), 'invalid_token', [], 'still over')
  t.equal((await login()).status, 200)
})

t.test('the sessions of a user are ended, and an account is deleted', async (t) => {
  const ada = await auth.person()
  t.equal((await asRoot(`POST /users/${ada.id}/end-sessions`)).status, 204)
  isProblem(t, await send('POST /refresh-token', { token: ada.refresh_token }), 'invalid_token')
  t.equal((await asRoot(`DELETE /users/${ada.id}`)).status, 204)
  isProblem(t, await send('POST /login', { body: { email: ada.email, password: ada.password } }), 'invalid_credentials')
  isProblem(t, await asRoot(`DELETE /users/${ada.id}`), 'not_found')
})

t.test('accounts are listed by address, a page at a time, and found by a part of it', async (t) => {
  for (const name of ['c', 'A', 'b', 'd', 'e']) await auth.person({ email: `${name}@list.example.com` })
  const seen: string[] = []
  let next: string | null = ''
  while (next !== null) {
    const { status, body } = await asRoot(`GET /users?search=LIST.example&limit=2&after=${encodeURIComponent(next)}`)
    t.equal(status, 200)
    between(t, body.users.length, { most: 2 })
    seen.push(...body.users.map(({ email }: Person) => email))
    next = body.next
  }
  t.same(
    seen,
    ['A', 'b', 'c', 'd', 'e'].map((name) => `${name}@list.example.com`)
  )
  t.same((await asRoot('GET /users?search=%25')).body, { users: [], next: null }, 'no wildcards')
  isProblem(t, await asRoot('GET /users?search=%00&after=%00'), 'invalid_input', ['search', 'after'])
  for (const query of ['limit=0', 'limit=101', 'limit=x', 'page=2'])
    t.equal((await asRoot(`GET /users?${query}`)).status, 400)
  const [first] = (await asRoot('GET /users?limit=1')).body.users
  t.same(Object.keys(first).sort(), ['created_at', 'disabled_at', 'email', 'email_verified', 'id', 'roles', 'username'])
})

t.test('the last administrator cannot be demoted, disabled or deleted', async (t) => {
  for (const [line, body] of [
    [`PUT /users/${root.id}/roles`, { roles: [] }],
    [`POST /users/${root.id}/disable`],
    [`DELETE /users/${root.id}`],
    ['DELETE /me', { current_password: root.password }]
  ] as const) {
    isProblem(t, await asRoot(line, body), 'last_admin', [], line)
  }
  t.equal((await asRoot(`PUT /users/${root.id}/roles`, { roles: ['admin'] })).status, 200, 'and their roles stay')
})

t.test('nobody gives roles to themselves, administrators neither', async (t) => {
  const other = await admin()
  const path = `PUT /users/${other.id}/roles`
  const token = other.access_token
  const inCapitals = `PUT /users/${other.id.toUpperCase()}/roles`
  for (const line of [path, inCapitals])
    isProblem(t, await send(line, { token, body: { roles: ['admin', 'moderator'] } }), 'insufficient_scope', [], line)
  t.equal((await send(path, { token, body: { roles: [] } })).status, 200, 'but give theirs up')
  isProblem(t, await send('GET /users', { token }), 'invalid_token', [], 'with the token from before')
  const { body } = await send('POST /refresh-token', { token: other.refresh_token })
  isProblem(t, await send('GET /users', { token: body.access_token }), 'insufficient_scope')
})

t.test('an administrator who lost the role while their request was on its way changes nothing', async (t) => {
  const [fallen, ada] = [await admin(), await auth.person()]
  await revokeRole(operator, { id: fallen.id }, 'admin')
  await t.rejects(setRoles(operator, { id: ada.id, by: fallen.id }, ['admin']), { code: 'insufficient_scope' })
  t.strictSame((await asRoot(`GET /users?search=${ada.email}`)).body.users[0].roles, ['user'])
})

t.test('a user has at most sixteen roles, user among them', async (t) => {
  const ada = await auth.person()
  const roles = Array.from({ length: 15 }, (_, i) => `role${i}`)
  t.equal((await asRoot(`PUT /users/${ada.id}/roles`, { roles })).status, 200)
  isProblem(t, await asRoot(`PUT /users/${ada.id}/roles`, { roles: [...roles, 'more'] }), 'invalid_input', ['roles'])
  await t.rejects(grantRole(operator, { id: ada.id }, 'more'), { code: 'invalid_input' })
  t.equal((await asRoot(`PUT /users/${ada.id}/roles`, { roles: ['user', ...roles] })).status, 200)
})

t.test('of two administrators who take each other down at once, one stays', async (t) => {
  for (let round = 0; round < 10; round += 1) {
    const other = await admin({ email: `other${round}@example.com` })
    const outcomes = await Promise.allSettled([
      disableUser(operator, { id: root.id }),
      revokeRole(operator, { id: other.id }, 'admin')
    ])
    t.same(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
    const rows = await database.query("SELECT id FROM users WHERE 'admin' = ANY (roles) AND disabled_at IS NULL")
    t.equal(rows.length, 1)
    await database.query('UPDATE users SET disabled_at = NULL WHERE id = $1', [root.id])
    await database.query("UPDATE users SET roles = '{user}' WHERE id = $1", [other.id])
  }
})
