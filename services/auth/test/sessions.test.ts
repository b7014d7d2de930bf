import { isProblem } from '@latchkey/testing/problem'
import t from 'tap'
import { startAuth } from './app.ts'
import { addSessions, ENDINGS, everythingOf, liveSessions, sessionOf } from './sessions.ts'
import { claimsOf, resign } from './tokens.ts'

// An access token that a resource service would believe until it expires: here it counts only while its session lives,
// its epoch is the user's and the user is enabled.
const auth = await startAuth(t)
const OWN_ROUTES = {
  'GET /me': {},
  'PUT /update-username': { body: { username: 'Renamed' } }
}
const STALE = { ...ENDINGS, 'the epoch rose': 'UPDATE users SET epoch = epoch + 1 WHERE id = $1' }

for (const [name, statement] of Object.entries(STALE)) {
  t.test(`an access token is refused after ${name}`, async (t) => {
    const { id, access_token: token } = await auth.person()
    await auth.database.query(statement, [id])
    const before = await everythingOf(auth.database, id)
    for (const [line, sending] of Object.entries(OWN_ROUTES)) {
      isProblem(t, await auth.send(line, { ...sending, token }), 'invalid_token', [], line)
    }
    t.strictSame(await everythingOf(auth.database, id), before)
  })
}

t.test('an access token counts for its own user, session and epoch', async (t) => {
  const [ada, eve] = [await auth.person(), await auth.person()]
  const other = {
    "another's session": { sid: claimsOf(eve.access_token)['sid'] },
    "another's name": { sub: eve.id },
    'an epoch to come': { epoch: 1 }
  }
  for (const [name, claims] of Object.entries(other)) {
    const token = await resign(ada.access_token, auth.keys.access.current, { claims })
    isProblem(t, await auth.send('GET /me', { token }), 'invalid_token', [], name)
  }
})

t.test('a session that ends leaves the others of its user alone', async (t) => {
  const ada = await auth.person()
  const other = await auth.login(ada)
  const ended = "UPDATE sessions SET ended_at = now(), end_reason = 'evicted' WHERE id = $1"
  await auth.database.query(ended, [claimsOf(other.access_token)['sid']])
  isProblem(t, await auth.send('GET /me', { token: other.access_token }), 'invalid_token')
  t.equal((await auth.send('GET /me', { token: ada.access_token })).status, 200)
})

t.test('the 101st session ends the one that was not used for the longest time, and no other', async (t) => {
  const ada = await auth.person()
  await addSessions(auth.database, ada.id, 99, 1000)
  const [oldest] = await auth.database.query<{ id: string }>(
    'SELECT id FROM sessions WHERE user_id = $1 ORDER BY last_used_at LIMIT 1',
    [ada.id]
  )
  t.equal(await liveSessions(auth.database, ada.id), 100)
  const one = await auth.login(ada)
  const ended = await auth.database.query(
    'SELECT id, end_reason FROM sessions WHERE user_id = $1 AND ended_at IS NOT NULL',
    [ada.id]
  )
  t.strictSame(ended, [{ id: oldest?.id, end_reason: 'evicted' }])
  t.equal(await liveSessions(auth.database, ada.id), 100)
  t.match(await sessionOf(auth.database, one.refresh_token), { ended_at: null })
  t.equal((await auth.send('GET /refresh-token', { token: ada.refresh_token })).status, 200)
})

t.test('one that was not used since is ended, though it was opened last', async (t) => {
  const ada = await auth.person()
  await auth.database.query("UPDATE sessions SET last_used_at = now() - interval '1 month' WHERE user_id = $1", [
    ada.id
  ])
  await addSessions(auth.database, ada.id, 99, 1000)
  await auth.login(ada)
  isProblem(t, await auth.send('GET /refresh-token', { token: ada.refresh_token }), 'invalid_token')
})

t.test('sessions that are over do not count', async (t) => {
  const ada = await auth.person()
  await auth.database.query("UPDATE sessions SET last_used_at = now() - interval '1 month' WHERE user_id = $1", [
    ada.id
  ])
  await addSessions(auth.database, ada.id, 150, -1)
  await auth.login(ada)
  t.equal((await auth.send('GET /refresh-token', { token: ada.refresh_token })).status, 200)
})

t.test("nobody's sessions end for somebody else's", async (t) => {
  const [ada, eve] = [await auth.person(), await auth.person()]
  await addSessions(auth.database, eve.id, 99, 1000)
  await auth.login(ada)
  t.equal(await liveSessions(auth.database, eve.id), 100)
})
