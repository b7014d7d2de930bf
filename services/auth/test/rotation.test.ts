import { runAsOwner } from '@latchkey/testing/database'
import { isProblem } from '@latchkey/testing/problem'
import t from 'tap'
import { startAuth } from './app.ts'
import { movedClock } from './moved-clock.ts'
import { aStatementWaits, liveSessions, sessionOf } from './sessions.ts'
import { claimsOf } from './tokens.ts'

const clock = await movedClock(t)
const env = { DATABASE_URL: clock.databaseUrl }
const auth = await startAuth(t, { env, now: clock.now })
const other = await startAuth(t, { env, now: clock.now, keys: auth.keys })

const refresh = (token: string, at = auth, headers = {}) => at.send('POST /refresh-token', { token, headers })
const generation = (token: string) => claimsOf(token)['generation']

t.test('a refresh moves to the next generation', async (t) => {
  const ada = await auth.person()
  const { status, body } = await refresh(ada.refresh_token)
  t.equal(status, 200)
  const [before, after] = [claimsOf(ada.refresh_token), claimsOf(body.refresh_token)]
  t.equal(after['generation'], 1)
  t.equal(after['jti'], `${before['sid']}.1`)
  t.equal(after['sid'], before['sid'], 'in the same session')
  t.equal(after['custom_key'], before['custom_key'])
})

t.test('fifty parallel refreshes of one token, at two instances, have one successor', async (t) => {
  const ada = await auth.person()
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, i) => refresh(ada.refresh_token, i % 2 ? auth : other))
  )
  t.same(new Set(answers.map(({ status }) => status)), new Set([200]))
  t.same(new Set(answers.map(({ body }) => body.refresh_token)).size, 1, 'the same bytes for all')
  t.equal((await sessionOf(auth.database, ada.refresh_token)).generation, 1)
})

t.test('a token that was superseded within the window answers the current one, however many followed', async (t) => {
  const ada = await auth.person()
  let newest = ada.refresh_token
  for (let i = 0; i < 8; i += 1) newest = (await refresh(newest)).body.refresh_token
  const { status, body } = await refresh(ada.refresh_token, other)
  t.equal(status, 200)
  t.equal(body.refresh_token, newest)
  t.equal(generation(newest), 8)
})

t.test('the ninth last is theft, for its time is no longer known', async (t) => {
  const ada = await auth.person()
  let newest = ada.refresh_token
  for (let i = 0; i < 9; i += 1) newest = (await refresh(newest)).body.refresh_token
  isProblem(t, await refresh(ada.refresh_token), 'invalid_token')
  isProblem(t, await refresh(newest), 'invalid_token')
})

t.test(
  'a token that was superseded longer ago ends the session, and that stays although the request fails',
  async (t) => {
    const ada = await auth.person()
    const { refresh_token: newest } = (await refresh(ada.refresh_token)).body
    await clock.advance(31)
    isProblem(t, await refresh(ada.refresh_token, other, { 'user-agent': 'thief/1' }), 'invalid_token')
    const { ended_at, end_reason } = await sessionOf(auth.database, newest)
    t.type(ended_at, Date)
    t.equal(end_reason, 'reuse')
    isProblem(t, await refresh(newest), 'invalid_token')
    t.match(
      other.lines.find(({ event }) => event === 'refresh_reuse'),
      { level: 'warn', user: ada.id, shown: 0, current: 1, ip: '127.0.0.1', user_agent: 'thief/1', session: String }
    )
  }
)

t.test('theft ends one session, not the account', async (t) => {
  const ada = await auth.person()
  const phone = await auth.login(ada)
  await refresh(ada.refresh_token)
  await clock.advance(31)
  await refresh(ada.refresh_token)
  t.equal(await liveSessions(auth.database, ada.id), 1)
  t.equal((await refresh(phone.refresh_token)).status, 200)
})

t.test('a convergence from elsewhere is told as a security event', async (t) => {
  const ada = await auth.person()
  await refresh(ada.refresh_token, auth, { 'user-agent': 'phone/1' })
  await refresh(ada.refresh_token, auth, { 'user-agent': 'laptop/2' })
  t.match(
    auth.lines.find(({ event }) => event === 'refresh_converged_elsewhere'),
    { level: 'warn', user: ada.id, user_agent: 'laptop/2' }
  )
})

t.test('a stale custom key ends nothing, whatever its generation', async (t) => {
  const ada = await auth.person()
  await refresh(ada.refresh_token)
  await auth.database.query('UPDATE users SET token_hash = sha256(token_hash) WHERE id = $1', [ada.id])
  await clock.advance(31)
  isProblem(t, await refresh(ada.refresh_token), 'invalid_token')
  t.equal(await liveSessions(auth.database, ada.id), 1)
})

t.test('use puts the idle end off, and never beyond the absolute end', async (t) => {
  const ada = await auth.person()
  const day = 86_400
  let { refresh_token: newest } = ada
  for (let days = 0; days < 87; days += 29) {
    await clock.advance(29 * day)
    const { status, body } = await refresh(newest)
    t.equal(status, 200, `after ${days + 29} days`)
    newest = body.refresh_token
  }
  t.equal(
    Number(claimsOf(newest)['exp']) - Number(claimsOf(ada.refresh_token)['iat']),
    90 * day,
    'ends with the session'
  )
  await clock.advance(3 * day)
  t.equal((await refresh(newest)).status, 401)
})

t.test('a session that is not used for the idle time is over', async (t) => {
  const ada = await auth.person()
  await clock.advance(30 * 86_400 + 10)
  t.equal((await refresh(ada.refresh_token)).status, 401)
})

t.test('a refresh that fails spends nothing', async (t) => {
  const ada = await auth.person()
  await runAsOwner(clock.databaseUrl, 'ALTER TABLE sessions ADD CONSTRAINT broken CHECK (generation < 1) NOT VALID')
  t.equal((await refresh(ada.refresh_token)).status, 500)
  await runAsOwner(clock.databaseUrl, 'ALTER TABLE sessions DROP CONSTRAINT broken')
  const { status, body } = await refresh(ada.refresh_token)
  t.equal(status, 200)
  t.equal(generation(body.refresh_token), 1)
})

t.test('a window of 0s is strict: the second use ends the session', async (t) => {
  const strict = await startAuth(t, { env: { ...env, REFRESH_REUSE_WINDOW: '0s' }, now: clock.now, keys: auth.keys })
  const ada = await strict.person({ email: 'strict@example.com' })
  const { refresh_token: newest } = (await refresh(ada.refresh_token, strict)).body
  isProblem(t, await refresh(ada.refresh_token, strict), 'invalid_token')
  isProblem(t, await refresh(newest, strict), 'invalid_token')
  t.equal((await sessionOf(auth.database, newest)).end_reason, 'reuse')
})

t.test('a theft that two notice at once is told once', async (t) => {
  const ada = await auth.person()
  await refresh(ada.refresh_token)
  await clock.advance(31)
  const before = auth.lines.length
  await Promise.all(Array.from({ length: 20 }, () => refresh(ada.refresh_token)))
  const told = auth.lines.slice(before).filter(({ event }) => event === 'refresh_reuse')
  t.equal(told.length, 1)
})

t.test('without rotation', async (t) => {
  const plain = await startAuth(t, { env: { ...env, REFRESH_TOKEN_ROTATION: 'off' }, now: clock.now, keys: auth.keys })

  await t.test('a session has one refresh token until its absolute end', async (t) => {
    const ada = await plain.person({ email: 'plain@example.com' })
    const { exp, iat } = claimsOf(ada.refresh_token)
    t.equal(Number(exp) - Number(iat), 90 * 86_400)
    for (let i = 0; i < 3; i += 1) {
      await clock.advance(29 * 86_400)
      const { status, body } = await refresh(ada.refresh_token, plain)
      t.equal(status, 200, 'use renews the idle end')
      t.equal(body.refresh_token, ada.refresh_token)
    }
    await clock.advance(3 * 86_400)
    t.equal((await refresh(ada.refresh_token, plain)).status, 401)
  })

  await t.test('another address is no event, and a use soon after another writes nothing', async (t) => {
    const ada = await plain.person({ email: 'plain2@example.com' })
    const before = await sessionOf(auth.database, ada.refresh_token)
    for (const agent of ['phone/1', 'phone/2']) {
      t.equal((await refresh(ada.refresh_token, plain, { 'user-agent': agent })).status, 200)
    }
    t.same(await sessionOf(auth.database, ada.refresh_token), before)
    t.strictSame(
      plain.lines.filter(({ event }) => String(event).startsWith('refresh_converged')),
      []
    )
    await clock.advance(120)
    await refresh(ada.refresh_token, plain)
    t.not(String((await sessionOf(auth.database, ada.refresh_token)).idle_ends_at), String(before.idle_ends_at))
  })

  await t.test('a token that was superseded before it was switched off ends nothing', async (t) => {
    const ada = await auth.person()
    const { refresh_token: newest } = (await refresh(ada.refresh_token)).body
    t.equal((await refresh(ada.refresh_token, plain)).status, 200, 'within the window it is good')
    await clock.advance(31)
    isProblem(t, await refresh(ada.refresh_token, plain), 'invalid_token')
    t.equal((await refresh(newest, plain)).status, 200)
  })

  await t.test('a logout between the look and the renewal refuses', async (t) => {
    const ada = await plain.person({ email: 'plain3@example.com' })
    await clock.advance(120)
    let refreshing: ReturnType<typeof refresh> | undefined
    await auth.database.transaction(async (connection) => {
      const end = "UPDATE sessions SET ended_at = now(), end_reason = 'logout' WHERE id = $1"
      await connection.query(end, [claimsOf(ada.refresh_token)['sid']])
      refreshing = refresh(ada.refresh_token, plain)
      await Promise.race([refreshing, aStatementWaits(auth)])
    })
    t.equal((await refreshing)?.status, 401)
  })
})
