import { between } from '@latchkey/testing/between'
import { isProblem } from '@latchkey/testing/problem'
import t from 'tap'
import { type Auth, PASSWORD, startAuth } from './app.ts'
import { movedClock } from './moved-clock.ts'
import { everythingOf, liveSessions, remember, sessionOf } from './sessions.ts'
import { claimsOf } from './tokens.ts'

// A fail-over to a standby that had not got the last commits: clients show tokens that the database does not know.

const clock = await movedClock(t)
const env = { DATABASE_URL: clock.databaseUrl }
const auth = await startAuth(t, { env, now: clock.now })
const other = await startAuth(t, { env, now: clock.now, keys: auth.keys })
const { database } = auth

const refresh = (token: string, at: Auth = auth) => at.send('POST /refresh-token', { token })
const generation = (token: string) => claimsOf(token)['generation']

/** The refresh tokens of so many refreshes, one after the other: the first one is shown first. */
async function chain(token: string, length: number, at: Auth = auth): Promise<string[]> {
  const tokens = [token]
  for (let i = 0; i < length; i += 1) tokens.push((await refresh(tokens.at(-1) ?? '', at)).body.refresh_token)
  return tokens
}

/** Somebody whose last so many refreshes the database has lost; `line` begins with the token that it knows as current. */
async function loser(lost: number, at: Auth = auth, own = {}) {
  const ada = await at.person(own)
  const forget = await remember(database, ada.id)
  const line = await chain(ada.refresh_token, lost, at)
  await forget()
  return { ...ada, line, newest: line.at(-1) ?? '' }
}

for (const lost of [1, 2, 8]) {
  t.test(`an honest client goes on when ${lost} of its refreshes were lost`, async (t) => {
    const { id, newest } = await loser(lost)
    const lines = auth.lines.length
    const { status, body } = await refresh(newest)
    t.equal(status, 200)
    t.equal(generation(body.refresh_token), lost + 1, 'the next generation after the shown one')
    const told = auth.lines.slice(lines).filter(({ event }) => String(event).startsWith('refresh'))
    t.match(told, [{ level: 'error', event: 'refresh_ahead', user: id, shown: lost, current: lost + 1 }])
    t.equal(told.length, 1)
    const again = await chain(body.refresh_token, 3, other)
    t.strictSame(again.map(generation), [lost + 1, lost + 2, lost + 3, lost + 4], 'and on')
  })
}

t.test('a token from more than an hour ago, or more than eight ahead, is refused and changes nothing', async (t) => {
  for (const [lost, seconds] of [
    [1, 3602],
    [9, 0]
  ] as const) {
    const { id, line, newest } = await loser(lost)
    await clock.advance(seconds)
    const before = await everythingOf(database, id)
    isProblem(t, await refresh(newest), 'invalid_token')
    t.strictSame(await everythingOf(database, id), before)
    const [told] = auth.lines.filter(({ event }) => event === 'refresh_ahead').slice(-1)
    t.match(told, { level: 'error', user: id, shown: lost, current: 0, msg: /refused$/ })
    t.equal((await refresh(line[0] ?? '')).status, 200, 'the session goes on')
  }
})

t.test('fifty tabs that show one lost token at once, at two instances, have one successor', async (t) => {
  const { newest } = await loser(3)
  const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => refresh(newest, i % 2 ? auth : other)))
  t.same(new Set(answers.map(({ status }) => status)), new Set([200]))
  t.equal(new Set(answers.map(({ body }) => body.refresh_token)).size, 1, 'the same bytes for all')
  t.equal((await sessionOf(database, newest)).generation, 4)
})

t.test('two tabs with different lost tokens converge, whoever comes first', async (t) => {
  for (const order of ['newest first', 'oldest first', 'at once']) {
    const { line } = await loser(3)
    const shown = order === 'newest first' ? [line[3], line[2]] : [line[2], line[3]]
    const tabs: string[] = []
    const show = async (token = '', tab = 0) => {
      const { status, body } = await refresh(token, tab ? other : auth)
      t.equal(status, 200, order)
      tabs[tab] = body.refresh_token
    }
    if (order === 'at once') await Promise.all(shown.map(show))
    else for (const [tab, token] of shown.entries()) await show(token, tab)
    await Promise.all([...tabs].map(show))
    await Promise.all([...tabs].map(show))
    const [one, two] = tabs.map((token) => Number(generation(token)))
    between(t, Number(one) - Number(two), { least: -1, most: 1 }, 'generations apart')
    t.equal(await liveSessions(database, String(claimsOf(line[0] ?? '')['sub'])), 1)
  }
})

t.test('the skipped generations count as superseded now, and the times of those before stay', async (t) => {
  const ada = await auth.person()
  const [first = '', second = ''] = await chain(ada.refresh_token, 1)
  await clock.advance(20)
  const third = (await refresh(second)).body.refresh_token
  const forget = await remember(database, ada.id)
  const lost = await chain(third, 3)
  await forget()
  await clock.advance(5)
  const { body } = await refresh(lost.at(-1) ?? '')
  t.equal(generation(body.refresh_token), 6)
  for (const token of [second, third, ...lost.slice(1)]) {
    const answer = await refresh(token, other)
    t.equal(answer.body.refresh_token, body.refresh_token, `generation ${generation(token)} answers the current one`)
  }
  await clock.advance(6)
  isProblem(t, await refresh(first), 'invalid_token', [], 'superseded 31 s ago')
  t.equal((await sessionOf(database, third)).end_reason, 'reuse')
})

t.test('eight lost refreshes leave no older time, and the row remembers eight', async (t) => {
  const ada = await auth.person()
  const [first = '', second = ''] = await chain(ada.refresh_token, 1)
  const forget = await remember(database, ada.id)
  const lost = await chain(second, 8)
  await forget()
  t.equal((await refresh(lost.at(-1) ?? '')).status, 200)
  const times =
    'SELECT cardinality(superseded_at) AS count, superseded_at[1] = superseded_at[8] AS same FROM sessions WHERE id = $1'
  t.strictSame(await database.query(times, [claimsOf(first)['sid']]), [{ count: 8, same: true }])
  isProblem(t, await refresh(second), 'invalid_token', [], 'the ninth last')
})

t.test('a window of 0s stays strict: a lost token is good once', async (t) => {
  const strict = await startAuth(t, { env: { ...env, REFRESH_REUSE_WINDOW: '0s' }, now: clock.now, keys: auth.keys })
  const { newest } = await loser(2, strict, { email: 'strict@example.com' })
  const { body } = await refresh(newest, strict)
  t.equal(generation(body.refresh_token), 3)
  isProblem(t, await refresh(newest, strict), 'invalid_token')
  t.equal((await sessionOf(database, newest)).end_reason, 'reuse')
})

t.test('where rotation was switched off meanwhile, the client keeps the token that it has', async (t) => {
  const plain = await startAuth(t, { env: { ...env, REFRESH_TOKEN_ROTATION: 'off' }, now: clock.now, keys: auth.keys })
  const { newest } = await loser(3)
  const { status, body } = await refresh(newest, plain)
  t.equal(status, 200)
  t.equal(generation(body.refresh_token), 3)
  await clock.advance(3600)
  for (const token of [newest, body.refresh_token]) t.equal((await refresh(token, plain)).status, 200)
})

t.test('tokens of a lost password change are refused and change nothing; those from before it work', async (t) => {
  const ada = await auth.person()
  const forget = await remember(database, ada.id)
  const change = { current_password: PASSWORD, new_password: 'a louder harbour at noon' }
  const { body } = await auth.send('POST /change-password', { token: ada.access_token, body: change })
  const lost = await chain(body.refresh_token, 1)
  await forget()
  const before = await everythingOf(database, ada.id)
  for (const token of lost) isProblem(t, await refresh(token), 'invalid_token')
  t.strictSame(await everythingOf(database, ada.id), before)
  t.equal((await refresh(ada.refresh_token)).status, 200)
})

t.test('tokens of a lost login are refused', async (t) => {
  const ada = await auth.person()
  const forget = await remember(database, ada.id)
  const lost = await chain((await auth.login(ada)).refresh_token, 1)
  await forget()
  const before = await everythingOf(database, ada.id)
  for (const token of lost) isProblem(t, await refresh(token), 'invalid_token')
  t.strictSame(await everythingOf(database, ada.id), before)
})

t.test('a lost token revives no session that has ended since', async (t) => {
  const { id, newest } = await loser(2)
  await database.query("UPDATE sessions SET ended_at = now(), end_reason = 'revoked' WHERE user_id = $1", [id])
  const before = await everythingOf(database, id)
  isProblem(t, await refresh(newest), 'invalid_token')
  t.strictSame(await everythingOf(database, id), before)
})

// What ordinary theft gives: both go on within the window, and after it the first who shows the older line ends it.
const THEFTS: Record<string, (line: string[]) => { thief: string; owner: string }> = {
  'the newest token, lost': (line) => ({ thief: line[4] ?? '', owner: line[4] ?? '' }),
  'one that was superseded in the lost line': (line) => ({ thief: line[2] ?? '', owner: line[4] ?? '' }),
  'the one that the database knows as current': (line) => ({ thief: line[0] ?? '', owner: line[4] ?? '' })
}

for (const [what, stolen] of Object.entries(THEFTS)) {
  for (const thiefIsFirst of [true, false]) {
    t.test(`a thief who has ${what} and comes ${thiefIsFirst ? 'first' : 'second'} is found out`, async (t) => {
      const { line } = await loser(4)
      const { thief, owner } = stolen(line)
      const [one, two] = thiefIsFirst ? [thief, owner] : [owner, thief]
      const gained = await refresh(one)
      t.equal(gained.status, 200)
      await clock.advance(31)
      const answered = await refresh(two, other)
      // Whoever of the two now has the older line shows it after the window.
      await clock.advance(31)
      const shown = answered.status === 200 ? gained.body.refresh_token : ''
      if (shown) isProblem(t, await refresh(shown), 'invalid_token')
      t.equal((await sessionOf(database, owner)).end_reason, 'reuse')
      for (const token of [
        ...line,
        gained.body.refresh_token,
        answered.body.refresh_token ?? gained.body.refresh_token
      ])
        t.equal((await refresh(token)).status, 401, 'nobody refreshes any more')
    })
  }
}
