import t from 'tap'
import { isProblem } from '../../../packages/service/test/problem.ts'
import { type Person, startAuth } from './app.ts'
import { liveSessions, sessionOf } from './sessions.ts'

const auth = await startAuth(t)

// Sessions of a user, each last used a minute before the one before it, all a day ago; with ends in so many hours.
const addSessions = (person: Person, count: number, hours = 1000) =>
  auth.database.query(
    `INSERT INTO sessions (id, user_id, created_at, last_used_at, idle_ends_at, ends_at, sweep_on)
     SELECT gen_random_uuid(), $1, now(), now() - interval '1 day' - n * interval '1 minute', ends, ends, ends::date + 2
       FROM generate_series(1, $2) n, (SELECT now() + make_interval(hours => $3)) AS t (ends)`,
    [person.id, count, hours]
  )

t.test('the 101st session ends the one that was not used for the longest time, and no other', async (t) => {
  const ada = await auth.person()
  await addSessions(ada, 99)
  const [oldest] = await auth.database.query<{ id: string }>('SELECT id FROM sessions ORDER BY last_used_at LIMIT 1')
  t.equal(await liveSessions(auth.database, ada.id), 100)
  const one = await auth.login(ada)
  const ended = await auth.database.query('SELECT id, end_reason FROM sessions WHERE ended_at IS NOT NULL')
  t.same(ended, [{ id: oldest?.id, end_reason: 'evicted' }])
  t.equal(await liveSessions(auth.database, ada.id), 100)
  t.match(await sessionOf(auth.database, one.refresh_token), { ended_at: null })
  t.equal((await auth.send('GET /refresh-token', { token: ada.refresh_token })).status, 200)
})

t.test('one that was not used since is ended, though it was opened last', async (t) => {
  const ada = await auth.person()
  await auth.database.query("UPDATE sessions SET last_used_at = now() - interval '1 month' WHERE user_id = $1", [
    ada.id
  ])
  await addSessions(ada, 99)
  await auth.login(ada)
  isProblem(t, await auth.send('GET /refresh-token', { token: ada.refresh_token }), 'invalid_token')
})

t.test('sessions that are over do not count', async (t) => {
  const ada = await auth.person()
  await auth.database.query("UPDATE sessions SET last_used_at = now() - interval '1 month' WHERE user_id = $1", [
    ada.id
  ])
  await addSessions(ada, 150, -1)
  await auth.login(ada)
  t.equal((await auth.send('GET /refresh-token', { token: ada.refresh_token })).status, 200)
})

t.test("nobody's sessions end for somebody else's", async (t) => {
  const [ada, eve] = [await auth.person(), await auth.person()]
  await addSessions(eve, 99)
  await auth.login(ada)
  t.equal(await liveSessions(auth.database, eve.id), 100)
})
