import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type Service, startPair } from '../pair.ts'
import { buildFirst } from '../scripts/build-first.ts'
import { everyAnswerIsClean, recordHistory } from './history.ts'

/** In seconds: the settings of the test. */
const ACCESS_TOKEN_TTL = 900
const CLOCK_LEEWAY = 5
const HOUR = 3600

await buildFirst()
const folder = await mkdtemp(join(tmpdir(), 'latchkey-clocks-'))
t.teardown(() => rm(folder, { recursive: true, force: true }))

const shift = { auth: await clock('auth'), resource: await clock('resource') }
const { auth, resource } = await startPair(
  t,
  { ACCESS_TOKEN_TTL: `${ACCESS_TOKEN_TTL}s`, CLOCK_LEEWAY: `${CLOCK_LEEWAY}s` },
  { auth: shift.auth.env, resource: shift.resource.env }
)
const { send, operations } = recordHistory(() => auth.url)
const greetings = recordHistory(() => resource.url)
const greet = (token: string | undefined) => greetings.send('GET /greet', { token })
const ada = { email: 'ada@example.com', username: 'Ada', password: 'a quiet harbour at dawn' }
const login = async () => (await send('POST /login', { body: { email: ada.email, password: ada.password } })).body

t.test(
  'the resource service’s clock is off: nothing happens within the leeway, and no token lives beyond it',
  async (t) => {
    await send('POST /signup', { body: ada })
    const { access_token: first } = await login()
    t.equal((await greet(first)).status, 200)
    const seconds: [shift: number, status: number, code?: string, reason?: RegExp][] = [
      [0, 200],
      [CLOCK_LEEWAY - 2, 200],
      [2 - CLOCK_LEEWAY, 200],
      [60, 200],
      [-60, 401, 'invalid_token', /iat is in the future/],
      [-HOUR, 401, 'invalid_token', /iat is in the future/],
      [ACCESS_TOKEN_TTL + CLOCK_LEEWAY - 3, 200],
      [ACCESS_TOKEN_TTL + CLOCK_LEEWAY, 401, 'token_expired', /token_expired/],
      [HOUR, 401, 'token_expired', /token_expired/],
      [0, 200]
    ]
    for (const [by, status, code, reason] of seconds) {
      // A new one each time: of those that were seen before, the verdict is remembered.
      const { access_token: token } = await login()
      const before = resource.output().length
      await shift.resource.to(by)
      const answer = await greet(token)
      t.equal(answer.status, status, `by ${by} s`)
      if (code) t.equal(answer.body['code'], code)
      if (reason) await logSays(t, resource, reason, before)
    }
    await shift.resource.to(ACCESS_TOKEN_TTL + CLOCK_LEEWAY)
    t.equal((await greet(first)).body['code'], 'token_expired', 'and of those that were seen before')
    await shift.resource.to(0)
  }
)

t.test('the auth service’s clock is off: nothing happens within the leeway, and no session ends of it', async (t) => {
  const refresh = (token: string | undefined) => send('POST /refresh-token', { token })
  const me = (token: string | undefined) => send('GET /me', { token })
  const before = await login()

  for (const seconds of [CLOCK_LEEWAY - 2, 2 - CLOCK_LEEWAY]) {
    await shift.auth.to(seconds)
    const { access_token, refresh_token } = await login()
    const answers = [await greet(access_token), await me(access_token), await refresh(refresh_token)]
    for (const { name, status } of answers) t.equal(status, 200, `${name}, by ${seconds} s`)
  }

  await shift.auth.to(-HOUR)
  for (const refused of [await me(before['access_token']), await refresh(before['refresh_token'])]) {
    t.match(refused, { status: 401, body: { code: 'invalid_token' } }, 'back by an hour')
  }
  await logSays(t, auth, /iat is in the future/)
  const { access_token: old } = await login()
  t.match(await greet(old), { status: 401, body: { code: 'token_expired' } }, 'its tokens end an hour too early')

  await shift.auth.to(HOUR)
  t.match(await me(before['access_token']), { status: 401, body: { code: 'token_expired' } }, 'an hour ahead')
  const early = await login()
  const late = await greet(early['access_token'])
  t.match(late, { status: 401, body: { code: 'invalid_token' } }, 'its tokens begin an hour too late')
  // Sessions go by the database's clock alone.
  t.equal(early['refresh_expires_in'], before['refresh_expires_in'], 'a session lives as long as ever')
  for (let i = 0; i < 2; i += 1)
    t.equal((await refresh(early['refresh_token'])).status, 200, 'and a lost answer is no theft')

  await shift.auth.to(0)
  t.equal((await me(before['access_token'])).status, 200)
  const refreshed = await refresh(before['refresh_token'])
  t.equal(refreshed.status, 200)
  t.equal((await greet(refreshed.body['access_token'])).status, 200)
  everyAnswerIsClean(t, [...operations, ...greetings.operations])
})

// The log takes another way than the answer, and may come after it.
async function logSays(t: Test, { output }: Service, reason: RegExp, since = 0): Promise<void> {
  const said = () => output().slice(since)
  for (const end = Date.now() + 5000; !reason.test(said()) && Date.now() < end; ) await sleep(10)
  t.match(said(), reason, 'the log says why')
}

async function clock(name: string) {
  const file = join(folder, name)
  const to = (seconds: number) => writeFile(file, String(seconds * 1000))
  await to(0)
  const module = new URL('shifted-clock.mjs', import.meta.url)
  return { to, env: { CLOCK_FILE: file, NODE_OPTIONS: `--import=${module}` } }
}
