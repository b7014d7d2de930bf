// The auth service goes away and comes back: what resource services do with each FEED_WHEN_CUT, and what they say.
import { join } from 'node:path'
import t from 'tap'
import { freePort } from '../scripts/free-port.mjs'
import { type Service, service, startPair } from './pair.ts'
import { buildFirst } from './scripts/build-first.ts'

const ada = { email: 'ada@example.com', username: 'Ada', password: 'correct horse battery' }
const FEED_TOKEN = 'a-token-of-the-feed-for-tests-01234567'

await buildFirst()
const { auth, resource: open, dir } = await startPair(t, {}, { auth: { REVOCATION_FEED: 'token', FEED_TOKEN } })

/** Another resource service of the same issuer. */
async function resourceWith(env: Record<string, string>): Promise<Service> {
  const PORT = String(await freePort())
  return service(t, 'resource', {
    PATH: process.env.PATH ?? '',
    ISSUER: auth.url,
    AUDIENCE: 'latchkey',
    JWKS_URL: `${auth.url}/.well-known/jwks.json`,
    JWKS_CACHE_FILE: join(dir, `jwks-${PORT}.json`),
    FEED_URL: `${auth.url}/revocations`,
    FEED_BOUND: '3s',
    FEED_TOKEN,
    PORT,
    ...env
  })
}

async function post(path: string, token = '', body?: object) {
  const headers = {
    ...(token && { authorization: `Bearer ${token}` }),
    ...(body && { 'content-type': 'application/json' })
  }
  const answer = await fetch(auth.url + path, { method: 'POST', headers, ...(body && { body: JSON.stringify(body) }) })
  return JSON.parse((await answer.text()) || '{}')
}

const logIn = () => post('/login', '', { email: ada.email, password: ada.password })

/** What a service answers: the status, with the code of a refusal. */
async function greet({ url }: Service, token: string): Promise<string> {
  const answer = await fetch(`${url}/greet`, { headers: { authorization: `Bearer ${token}` } })
  const { code } = (await answer.json()) as { code?: string }
  return [answer.status, code].filter(Boolean).join(' ')
}

const ready = async ({ url }: Service) => (await fetch(`${url}/readyz`)).status

async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 50))
}

/** The messages of a log about the feed, and the reasons in brackets. */
const said = (of: Service) =>
  of
    .output()
    .split('\n')
    .flatMap((line) => /"msg":"(the revocation feed [^"]*)"/.exec(line)?.[1] ?? [])

await post('/signup', '', ada)

t.test('a service that stops keeps also the ends that it has heard right before', async (t) => {
  const one = await resourceWith({ FEED_WHEN_CUT: 'accept', FEED_CACHE_FILE: join(dir, 'stopped.json') })
  await one.start()
  const [first, second] = [await logIn(), await logIn()]
  for (const ended of [first, second]) {
    await post('/logout', ended.refresh_token)
    await until(async () => (await greet(one, ended.access_token)) === '401 invalid_token')
  }
  t.equal(await one.stop(), 0)
  await one.start('/readyz', { FEED_TOKEN: FEED_TOKEN.replace('a-token', 'another') })
  for (const ended of [first, second]) t.equal(await greet(one, ended.access_token), '401 invalid_token')
})

t.test('while the auth service is away FEED_WHEN_CUT decides, and afterwards everything is as before', async (t) => {
  const FEED_CACHE_FILE = join(dir, 'feed.json')
  const [accept, recent, refuse] = await Promise.all([
    resourceWith({ FEED_WHEN_CUT: 'accept', FEED_CACHE_FILE }),
    resourceWith({ FEED_WHEN_CUT: 'recent' }),
    resourceWith({ FEED_WHEN_CUT: 'refuse' })
  ])
  const all = [accept, recent, refuse]
  await Promise.all(all.map((one) => one.start()))
  const [{ access_token: token }, ended] = [await logIn(), await logIn()]
  t.strictSame(await Promise.all(all.map((one) => greet(one, token))), ['200', '200', '200'])
  await post('/logout', ended.refresh_token)
  for (const one of all) await until(async () => (await greet(one, ended.access_token)) === '401 invalid_token')

  await auth.kill()
  t.strictSame(await Promise.all(all.map((one) => greet(one, token))), ['200', '200', '200'], 'within the bound')
  await until(async () => (await greet(refuse, token)) === '503 unavailable')
  await until(async () => (await greet(recent, token)) === '401 token_expired')
  await until(() => said(accept).some((line) => /^the revocation feed is cut: revoked tokens are accepted/.test(line)))
  t.equal(await greet(accept, token), '200')
  t.strictSame(await Promise.all(all.map(ready)), [200, 503, 503])
  t.strictSame(
    await Promise.all(all.map((one) => greet(one, ended.access_token))),
    ['401 invalid_token', '401 invalid_token', '401 invalid_token'],
    'what is known is refused, cut or not'
  )
  await accept.stop()
  await accept.start()
  t.strictSame([await greet(accept, token), await greet(accept, ended.access_token)], ['200', '401 invalid_token'])

  await auth.start()
  for (const one of all) await until(async () => said(one).at(-1) === 'the revocation feed is current')
  t.strictSame(await Promise.all(all.map(ready)), [200, 200, 200])
  t.strictSame(await Promise.all(all.map((one) => greet(one, token))), ['200', '200', '200'])
  await post('/logout-everywhere', token)
  for (const one of all) await until(async () => (await greet(one, token)) === '401 invalid_token')
})

t.test('a service without the feed goes on too, and sees no end', async (t) => {
  const { access_token: token, refresh_token: refresh } = await logIn()
  await post('/logout', refresh)
  t.equal(await greet(open, token), '200')
})

t.test('the log says why the feed is not read', async (t) => {
  const wrong = {
    '401': { FEED_TOKEN: 'another-token-of-the-feed-01234567890' },
    '404': { FEED_URL: `${auth.url}/revocation` },
    ECONNREFUSED: { FEED_URL: `http://127.0.0.1:${await freePort()}/revocations` }
  }
  for (const [reason, env] of Object.entries(wrong)) {
    const one = await resourceWith({ FEED_WHEN_CUT: 'refuse', ...env })
    await one.start('/healthz')
    await until(() => said(one).length > 1)
    t.match(said(one), ['the revocation feed is opened', new RegExp(`starting: all tokens are refused .*${reason}`)])
    t.equal(await ready(one), 503)
  }
})
