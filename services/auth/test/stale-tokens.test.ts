import t from 'tap'
import { isProblem } from '../../../packages/service/test/problem.ts'
import { startAuth } from './app.ts'
import { ENDINGS, everythingOf } from './sessions.ts'
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
    t.same(await everythingOf(auth.database, id), before)
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
