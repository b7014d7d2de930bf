import { isProblem } from '@latchkey/testing/problem'
import t from 'tap'
import { type Auth, type Person, startAuth } from './app.ts'
import { ENDINGS, everythingOf, liveSessions, sessionOf } from './sessions.ts'
import { claimsOf } from './tokens.ts'

const auth = await startAuth(t)
const NEW = 'a louder harbour at noon'
const change = (person: Person, body: object = {}, by: Auth = auth) =>
  by.send('POST /change-password', {
    token: person.access_token,
    body: { current_password: person.password, new_password: NEW, ...body }
  })

t.test('the password changes, and the caller goes on with a new pair', async (t) => {
  const ada = await auth.person({ username: 'Ada' })
  const { status, headers, body } = await change(ada)
  t.equal(status, 200)
  t.match(headers, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
  const { access_token, refresh_token, ...rest } = body
  t.strictSame(rest, { token_type: 'Bearer', expires_in: 900, refresh_expires_in: 2_592_000, username: 'Ada' })
  t.match(await auth.send('GET /me', { token: access_token }), { status: 200, body: { id: ada.id } })
  t.equal((await auth.send('GET /refresh-token', { token: refresh_token })).status, 200)
  isProblem(
    t,
    await auth.send('POST /login', { body: { email: ada.email, password: ada.password } }),
    'invalid_credentials'
  )
  await auth.login({ email: ada.email, password: NEW })
})

t.test('whatever was issued before is refused, on every device', async (t) => {
  const ada = await auth.person()
  const devices = [ada, await auth.login(ada), await auth.login(ada), await auth.login(ada), await auth.login(ada)]
  await change(ada)
  for (const { access_token, refresh_token } of devices) {
    isProblem(t, await auth.send('POST /refresh-token', { token: refresh_token }), 'invalid_token')
    isProblem(t, await auth.send('GET /me', { token: access_token }), 'invalid_token')
    t.match(await sessionOf(auth.database, refresh_token), { ended_at: Date, end_reason: 'password_changed' })
  }
  t.equal(await liveSessions(auth.database, ada.id), 1)
})

t.test('the caller has another session, which ends when the old one would have', async (t) => {
  const ada = await auth.person()
  await auth.database.query("UPDATE sessions SET ends_at = ends_at - interval '80 d', idle_ends_at = now() + '1 h'")
  const { body } = await change(ada)
  const [old, renewed] = [
    await sessionOf(auth.database, ada.access_token),
    await sessionOf(auth.database, body.access_token)
  ]
  t.not(renewed.id, old.id, 'another sid')
  t.strictSame(renewed.ends_at, old.ends_at, 'the same absolute end')
  t.strictSame(renewed.idle_ends_at, renewed.ends_at, 'and no life beyond it')
  t.match(renewed, { generation: 0, ended_at: null })
  t.match(claimsOf(ada.access_token), { epoch: 0 })
  t.match(claimsOf(body.access_token), { epoch: 1, sid: renewed.id })
  t.match(claimsOf(body.refresh_token), { generation: 0, sid: renewed.id })
})

t.test('hash, token hash and epoch change at once, and nothing else does', async (t) => {
  const ada = await auth.person()
  const row = async () =>
    (await auth.database.query('SELECT * FROM users WHERE id = $1', [ada.id]))[0] as Record<string, unknown>
  const before = await row()
  await change(ada)
  const after = await row()
  const changed = Object.keys(after).filter((name) => String(after[name]) !== String(before[name]))
  t.strictSame(changed, ['password_hash', 'token_hash', 'epoch'])
  t.match(after, { epoch: 1, password_hash: /^\$2b\$04\$/ })
})

t.test("one person's change is nobody else's", async (t) => {
  const [ada, eve] = [await auth.person(), await auth.person()]
  const before = await everythingOf(auth.database, eve.id)
  await change(ada)
  t.strictSame(await everythingOf(auth.database, eve.id), before)
})

t.test('the next change goes by the new pair', async (t) => {
  const ada = await auth.person()
  const { body } = await change(ada)
  isProblem(t, await change(ada, { current_password: NEW, new_password: 'a third harbour' }), 'invalid_token')
  const next = { ...ada, ...body, password: NEW }
  t.match(await change(next, { new_password: 'a third harbour' }), { status: 200 })
})

t.test('a wrong current password changes nothing', async (t) => {
  const ada = await auth.person()
  const before = await everythingOf(auth.database, ada.id)
  for (const current_password of ['', 'not the password', NEW, `${ada.password} `]) {
    const answer = await change(ada, { current_password })
    isProblem(t, answer, 'invalid_credentials', [], JSON.stringify(current_password))
  }
  t.strictSame(await everythingOf(auth.database, ada.id), before)
})

t.test('a refused new password is said to be, and changes nothing', async (t) => {
  const ada = await auth.person({ email: 'ada.lovelace@example.com', username: 'Countess' })
  const before = await everythingOf(auth.database, ada.id)
  const refused = [
    'short',
    'é'.repeat(37),
    'password1',
    'countess1815',
    'Ada.Lovelace!',
    'ada.lovelace@example.com',
    'Latchkey'
  ]
  for (const new_password of refused) {
    isProblem(t, await change(ada, { new_password }), 'invalid_input', ['new_password'], encodeURI(new_password))
  }
  isProblem(t, await change(ada, { new_password: 'broken \udc00 heart' }), 'invalid_input', ['new_password'])
  isProblem(t, await change(ada, { current_password: '\ud800' }), 'invalid_input', ['current_password'])
  t.strictSame(await everythingOf(auth.database, ada.id), before)
})

t.test('both passwords are the same from every keyboard', async (t) => {
  const ada = await auth.person({ password: 'caf\u00e9 au lait' })
  const answer = await change(ada, {
    current_password: 'cafe\u0301\u00a0au lait',
    new_password: 'the\u0301 au\u3000citron'
  })
  t.equal(answer.status, 200)
  await auth.login({ email: ada.email, password: 'th\u00e9 au citron' })
})

t.test('credentials that are missing or wrong', async (t) => {
  const { refresh_token, password } = await auth.person()
  const body = { current_password: password, new_password: NEW }
  isProblem(t, await auth.send('POST /change-password', { body }), 'missing_token')
  const headers = { authorization: 'Bearer' }
  isProblem(t, await auth.send('POST /change-password', { body, headers }), 'invalid_request')
  isProblem(t, await auth.send('POST /change-password', { body, token: refresh_token }), 'invalid_token')
})

for (const [name, statement] of Object.entries(ENDINGS)) {
  t.test(`nothing changes, and no session is revived, after ${name}`, async (t) => {
    const ada = await auth.person()
    await auth.database.query(statement, [ada.id])
    const before = await everythingOf(auth.database, ada.id)
    isProblem(t, await change(ada), 'invalid_token')
    t.strictSame(await everythingOf(auth.database, ada.id), before)
  })
}
