import { isProblem } from '@latchkey/testing/problem'
import t from 'tap'
import { startAuth } from './app.ts'
import { everythingOf, liveSessions, sessionOf } from './sessions.ts'
import { claimsOf } from './tokens.ts'

const auth = await startAuth(t)
const { send, database } = auth
const sid = (token: string) => String(claimsOf(token)['sid'])

t.test('a user sees the live sessions, the last used first, and which one asks', async (t) => {
  const ada = await auth.person()
  const body = { email: ada.email, password: ada.password }
  const headers = { 'user-agent': 'phone/1' }
  const phone = (await send('POST /login', { body, headers, from: '192.0.2.7' })).body
  const gone = await auth.login(ada)
  await send('POST /logout', { token: gone.refresh_token })
  await send('POST /refresh-token', { token: ada.refresh_token })
  const answer = await send('GET /sessions', { token: phone.access_token })
  t.equal(answer.status, 200)
  t.match(answer.body, {
    sessions: [
      { id: sid(ada.access_token), current: false },
      { id: sid(phone.access_token), current: true, user_agent: 'phone/1', ip: '192.0.2.7' }
    ]
  })
  t.equal(answer.body.sessions.length, 2)
  for (const name of ['created_at', 'last_used_at']) {
    t.equal(new Date(answer.body.sessions[0][name]).toISOString(), answer.body.sessions[0][name])
  }
})

t.test('a user ends one session, and only its tokens stop working', async (t) => {
  const ada = await auth.person()
  const phone = await auth.login(ada)
  const path = `DELETE /sessions/${sid(phone.access_token)}`
  t.equal((await send(path, { token: ada.access_token })).status, 204)
  isProblem(t, await send('POST /refresh-token', { token: phone.refresh_token }), 'invalid_token')
  isProblem(t, await send('GET /me', { token: phone.access_token }), 'invalid_token')
  t.equal((await send('GET /me', { token: ada.access_token })).status, 200)
  isProblem(t, await send(path, { token: ada.access_token }), 'not_found')
})

t.test('a session is also found by its id in capital letters (RFC 9562)', async (t) => {
  const ada = await auth.person()
  const id = sid(ada.access_token).toUpperCase()
  t.equal((await send(`DELETE /sessions/${id}`, { token: ada.access_token })).status, 204)
  isProblem(t, await send('GET /me', { token: ada.access_token }), 'invalid_token')
})

t.test("somebody else's session is as unknown as one that is not there", async (t) => {
  const [ada, eve] = [await auth.person(), await auth.person()]
  isProblem(t, await send(`DELETE /sessions/${sid(ada.access_token)}`, { token: eve.access_token }), 'not_found')
  isProblem(t, await send(`DELETE /sessions/${crypto.randomUUID()}`, { token: eve.access_token }), 'not_found')
  isProblem(t, await send('DELETE /sessions/1', { token: eve.access_token }), 'invalid_input', ['id'])
  t.equal(await liveSessions(database, ada.id), 1)
})

t.test('a logout ends the session, also with a superseded token, and also the second time it is 204', async (t) => {
  const ada = await auth.person()
  const { refresh_token: newest } = (await send('POST /refresh-token', { token: ada.refresh_token })).body
  for (let i = 0; i < 2; i += 1) {
    t.equal((await send('POST /logout', { token: ada.refresh_token })).status, 204)
    t.equal(await liveSessions(database, ada.id), 0)
  }
  isProblem(t, await send('POST /refresh-token', { token: newest }), 'invalid_token')
  t.equal((await sessionOf(database, newest)).end_reason, 'logout')
})

t.test('a logout with a token from before a password change ends nothing', async (t) => {
  const ada = await auth.person()
  const body = { current_password: ada.password, new_password: 'a louder harbour at noon' }
  const changed = (await send('POST /change-password', { token: ada.access_token, body })).body
  const before = await everythingOf(database, ada.id)
  t.equal((await send('POST /logout', { token: ada.refresh_token })).status, 204)
  t.same(await everythingOf(database, ada.id), before)
  t.equal((await send('POST /refresh-token', { token: changed.refresh_token })).status, 200)
})

t.test('a logout with what is no genuine refresh token is refused', async (t) => {
  const ada = await auth.person()
  isProblem(t, await send('POST /logout', { token: ada.access_token }), 'invalid_token')
  isProblem(t, await send('POST /logout', { token: `${ada.refresh_token.slice(0, -8)}AAAAAAAA` }), 'invalid_token')
  isProblem(t, await send('POST /logout', { headers: { authorization: '' } }), 'missing_token')
  t.equal(await liveSessions(database, ada.id), 1)
})

t.test('a logout everywhere ends every session and everything that was issued', async (t) => {
  const ada = await auth.person()
  const phone = await auth.login(ada)
  t.equal((await send('POST /logout-everywhere', { token: ada.access_token })).status, 204)
  for (const { access_token, refresh_token } of [ada, phone]) {
    isProblem(t, await send('GET /me', { token: access_token }), 'invalid_token')
    isProblem(t, await send('POST /refresh-token', { token: refresh_token }), 'invalid_token')
  }
  const again = await auth.login(ada)
  t.equal(claimsOf(again.access_token)['epoch'], 1)
})

t.test('a deleted account leaves its id alone, and its address is free for somebody else', async (t) => {
  const ada = await auth.person()
  const body = { current_password: 'not the password' }
  isProblem(t, await send('DELETE /me', { token: ada.access_token, body }), 'invalid_credentials')
  body.current_password = ada.password
  t.equal((await send('DELETE /me', { token: ada.access_token, body })).status, 204)
  isProblem(t, await send('GET /me', { token: ada.access_token }), 'invalid_token')
  isProblem(t, await send('POST /refresh-token', { token: ada.refresh_token }), 'invalid_token')
  isProblem(t, await send('POST /login', { body: { email: ada.email, password: ada.password } }), 'invalid_credentials')
  t.equal((await send('POST /logout', { token: ada.refresh_token })).status, 204)
  const [row] = await database.query('SELECT * FROM users WHERE id = $1', [ada.id])
  t.match(row, { email: null, username: null, password_hash: null, token_hash: null, roles: [], deleted_at: Date })
  const [session] = await database.query('SELECT ip, user_agent FROM sessions WHERE user_id = $1', [ada.id])
  t.same(session, { ip: null, user_agent: null })
  const somebody = await auth.person({ email: ada.email })
  t.not(somebody.id, ada.id)
})
