import { unavailable } from '@latchkey/problems/problem'
import { between } from '@latchkey/testing/between'
import { isProblem } from '@latchkey/testing/problem'
import t, { type Test } from 'tap'
import { countAttempt, strangersOf } from '../src/passwords/attempts.ts'
import { startAuth } from './app.ts'
import { directPool } from './hash-pool.ts'
import { movedClock } from './moved-clock.ts'

const clock = await movedClock(t)
const hashPool = directPool()
const auth = await startAuth(t, { env: { DATABASE_URL: clock.databaseUrl }, hashPool, now: clock.now })
const { send } = auth

const logIn = (email: string, password: string, token?: string) =>
  send('POST /login', { body: { email, password }, token })
const WRONG = 'not the password'

async function fail(email: string, times: number, token?: string): Promise<number[]> {
  const statuses = []
  for (let i = 0; i < times; i += 1) statuses.push((await logIn(email, WRONG, token)).status)
  return statuses
}

t.test('ten wrong passwords are free; then the wait is one second and doubles, to fifteen minutes', async (t) => {
  const { email, password } = await auth.person()
  t.same(await fail(email, 10), Array(10).fill(401))
  for (const wait of [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]) {
    const answer = await logIn(email, password)
    isProblem(t, answer, 'too_many_requests')
    t.equal(Number(answer.headers['retry-after']), wait, `${wait} s`)
    await clock.advance(wait)
    t.equal((await logIn(email, WRONG)).status, 401, 'and then one more may be tried')
  }
})

t.test('an address without an account is counted in the same way', async (t) => {
  t.same(await fail('nobody@example.com', 11), [...Array(10).fill(401), 429])
  t.equal((await logIn('NOBODY@example.com', WRONG)).status, 429, 'in any letter case')
})

t.test('a right password empties the bucket', async (t) => {
  const { email, password } = await auth.person()
  await fail(email, 9)
  t.equal((await logIn(email, password)).status, 200)
  t.same(await fail(email, 10), Array(10).fill(401))
})

t.test('also that of a disabled account', async (t) => {
  const { id, email, password } = await auth.person()
  await auth.database.query('UPDATE users SET disabled_at = now() WHERE id = $1', [id])
  await fail(email, 9)
  t.equal((await logIn(email, password)).status, 403)
  t.same(await fail(email, 10), Array(10).fill(401))
})

t.test('failures are forgotten after a day', async (t) => {
  const { email } = await auth.person()
  await fail(email, 10)
  await clock.advance(86_401)
  t.same(await fail(email, 10), Array(10).fill(401))
})

t.test('if the clock goes back by an hour, nobody waits for it to come back', async (t) => {
  const [ada, eve] = [await auth.person(), await auth.person()]
  for (const { email } of [ada, eve]) await fail(email, 10)
  await auth.database.query('UPDATE attempts SET failures = 30')
  await clock.advance(1)
  t.same(await fail(eve.email, 2), [401, 429])
  await clock.advance(-3600)
  t.equal((await logIn(ada.email, ada.password)).status, 200)
  t.same(await fail(eve.email, 1), [401])
  const answer = await logIn(eve.email, eve.password)
  isProblem(t, answer, 'too_many_requests')
  t.equal(Number(answer.headers['retry-after']), 900, 'one try is free, and the wait is as long as before')
  await clock.advance(3600)
})

t.test('one that began before another was counted finds its wait, also the longest', async (t) => {
  const buckets = { strangers: strangersOf('late@example.com'), device: undefined }
  await fail('late@example.com', 10)
  await auth.database.query('UPDATE attempts SET failures = 30')
  await clock.advance(1)
  await auth.database.transaction(async (earlier) => {
    await earlier.query('SELECT now()')
    await countAttempt(auth.database, buckets)
    await t.rejects(countAttempt(earlier, buckets), { code: 'too_many_requests' })
  })
})

t.test('ten at once are free, in whatever order they are counted', async (t) => {
  for (let round = 0; round < 20; round += 1) {
    const email = `many${round}@example.com`
    const answers = await Promise.all(Array.from({ length: 10 }, () => logIn(email, WRONG)))
    t.same(new Set(answers.map(({ status }) => status)), new Set([401]))
  }
})

/** Two hundred wrong passwords at once: ten are free, and no more are compared. */
async function tryAtOnce(t: Test, email: string, token?: string): Promise<void> {
  hashPool.jobs.length = 0
  const begun = clock.now()
  const answers = await Promise.all(Array.from({ length: 200 }, () => logIn(email, WRONG, token)))
  // On a slow machine the first waits, of 1 s, 2 s and so on, end meanwhile, and some find no connection in their time.
  const most = 10 + Math.floor(Math.log2(1 + (clock.now() - begun) / 1000))
  const { 401: refused = 0, 429: late = 0, 503: unavailable = 0, ...others } = countOf(answers)
  t.strictSame(others, {})
  between(
    t,
    refused,
    { least: unavailable > 0 ? 0 : 10, most },
    `refused, beside ${late} late and ${unavailable} unavailable`
  )
  // One that was compared may have been answered too late.
  between(t, hashPool.jobs.length, { least: refused, most: Math.min(most, refused + unavailable) }, 'compared')
}

function countOf(answers: readonly { status: number }[]): Record<number, number> {
  const counts: Record<number, number> = {}
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

t.test('of two hundred at once no more are compared than are free', async (t) => {
  await tryAtOnce(t, (await auth.person()).email)
})

t.test('a try that could not be made is not counted', async (t) => {
  const ada = await auth.person()
  await fail(ada.email, 8)
  for (let i = 0; i < 5; i += 1) {
    const held = hashPool.hold('verify')
    const answer = logIn(ada.email, ada.password)
    await Promise.race([held.begun, answer])
    held.fail(unavailable('the hashing queue is full'))
    t.equal((await answer).status, 503)
  }
  t.same(await fail(ada.email, 3), [401, 401, 429])
})

t.test('strangers cannot lock a known device out', async (t) => {
  const ada = await auth.person()
  await send('POST /logout', { token: ada.refresh_token })
  await fail(ada.email, 10)
  isProblem(t, await logIn(ada.email, ada.password), 'too_many_requests')
  await clock.advance(0.1)
  t.equal((await logIn(ada.email, ada.password, ada.refresh_token)).status, 200, 'though its session is over')
  isProblem(t, await logIn(ada.email, ada.password), 'too_many_requests')
})

t.test('a known device has ten failures, is a stranger then, and leaves none of the free tries', async (t) => {
  const ada = await auth.person()
  t.same(await fail(ada.email, 10, ada.refresh_token), Array(10).fill(401))
  t.equal((await logIn(ada.email, ada.password)).status, 429, 'without the token')
  t.equal((await logIn(ada.email, ada.password, ada.refresh_token)).status, 429)
  for (const wait of [1, 2, 4]) {
    await clock.advance(wait)
    t.equal((await logIn(ada.email, WRONG, ada.refresh_token)).status, 401, `after ${wait} s one more may be tried`)
    t.equal((await logIn(ada.email, WRONG)).status, 429)
  }
})

t.test('of two hundred tries of a device at once no more are compared than ten', async (t) => {
  const ada = await auth.person()
  await tryAtOnce(t, ada.email, ada.refresh_token)
})

t.test('tries of a device that are under way leave no free one to its next', async (t) => {
  const ada = await auth.person()
  const held = Array.from({ length: 10 }, () => hashPool.hold('verify'))
  const tries = held.map(() => logIn(ada.email, WRONG, ada.refresh_token))
  await Promise.all(held.map(({ begun }) => begun))
  t.equal((await logIn(ada.email, WRONG, ada.refresh_token)).status, 429)
  for (const { release } of held) release()
  for (const { status } of await Promise.all(tries)) t.equal(status, 401)
})

t.test("a device's failures count for strangers only when there are ten in a row", async (t) => {
  const ada = await auth.person()
  for (let i = 0; i < 3; i += 1) {
    await fail(ada.email, 9, ada.refresh_token)
    t.equal((await logIn(ada.email, ada.password, ada.refresh_token)).status, 200, 'a right one empties its own bucket')
  }
  t.same(await fail(ada.email, 11), [...Array(10).fill(401), 429], "the strangers' is as it was")
})

t.test('a device takes free tries from strangers, but lengthens no wait', async (t) => {
  const ada = await auth.person()
  await fail(ada.email, 10)
  await clock.advance(1)
  await fail(ada.email, 1)
  await fail(ada.email, 10, ada.refresh_token)
  const answer = await logIn(ada.email, WRONG)
  isProblem(t, answer, 'too_many_requests')
  // Some of the two seconds may be over.
  between(t, Number(answer.headers['retry-after']), { least: 1, most: 2 }, 'Retry-After')
})

t.test('a tenth try of a device that was right, or could not be made, takes none of them', async (t) => {
  const [ada, eve] = [await auth.person(), await auth.person()]
  await fail(ada.email, 9, ada.refresh_token)
  t.equal((await logIn(ada.email, ada.password, ada.refresh_token)).status, 200)
  t.same(await fail(ada.email, 10), Array(10).fill(401))

  await fail(eve.email, 9, eve.refresh_token)
  const held = hashPool.hold('verify')
  const answer = logIn(eve.email, WRONG, eve.refresh_token)
  await held.begun
  held.fail(unavailable('the hashing queue is full'))
  t.equal((await answer).status, 503)
  t.same(await fail(eve.email, 10), Array(10).fill(401))
})

t.test('a token of somebody else, from before a password change or too old makes no known device', async (t) => {
  const [ada, eve] = [await auth.person(), await auth.person()]
  const { refresh_token: stale } = await auth.login(ada)
  const body = { current_password: ada.password, new_password: 'a louder harbour at noon' }
  const { refresh_token } = (await send('POST /change-password', { token: ada.access_token, body })).body
  await fail(ada.email, 10)
  for (const token of [eve.refresh_token, stale, ada.access_token, 'nonsense']) {
    t.equal((await logIn(ada.email, body.new_password, token)).status, 429)
  }
  await clock.advance(30 * 86_400 + 89 * 86_400)
  await fail(ada.email, 10)
  t.equal((await logIn(ada.email, body.new_password, refresh_token)).status, 200, '89 days after its end')
  await fail(ada.email, 10)
  await clock.advance(86_400 + 60)
  await fail(ada.email, 10)
  t.equal((await logIn(ada.email, body.new_password, refresh_token)).status, 429, '90 days after its end')
})

t.test('whoever has an access token has ten guesses at the password, by whatever route', async (t) => {
  const ada = await auth.person()
  const change = (current_password: string) =>
    send('POST /change-password', {
      token: ada.access_token,
      body: { current_password, new_password: 'a louder harbour' }
    })
  const remove = (current_password: string) =>
    send('DELETE /me', { token: ada.access_token, body: { current_password } })
  for (let i = 0; i < 5; i += 1) {
    isProblem(t, await change(WRONG), 'invalid_credentials')
    isProblem(t, await remove(WRONG), 'invalid_credentials')
  }
  for (const answer of [await change(ada.password), await remove(ada.password), await logIn(ada.email, ada.password)]) {
    isProblem(t, answer, 'too_many_requests')
  }
  await clock.advance(1)
  t.equal((await logIn(ada.email, ada.password)).status, 200, 'the owner waits as for strangers')
})
