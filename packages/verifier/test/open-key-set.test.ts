import { join } from 'node:path'
import { type KeySetOptions, openKeySet } from '@latchkey/verifier'
import t from 'tap'
import { between } from '../../testing/src/between.ts'
import { makeKey } from '../../testing/src/tokens.ts'
import type { RemoteKeySetOptions } from '../src/remote-key-set-options.ts'
import { FakeClock, settle } from './fake-clock.ts'
import { FakeIssuer, URL } from './fake-issuer.ts'

const [a, b] = await Promise.all([makeKey(), makeKey()])

function stage(options: Partial<RemoteKeySetOptions> = {}) {
  const clock = new FakeClock()
  const issuer = new FakeIssuer(clock)
  const open = async () => {
    const keys = await openKeySet({ url: URL, clock, fetch: issuer.fetch, staleAge: 1000, ...options })
    t.teardown(() => keys.close())
    await settle()
    return keys
  }
  return { clock, issuer, open }
}

t.test('a set that is fetched tells how it stands, at every turn', async (t) => {
  const { clock, issuer, open } = stage()
  issuer.stalls()
  const keys = await open()
  t.same(keys.status(), { state: 'empty', kids: [], failures: 0 }, 'nothing is known yet, and no timer runs')
  await clock.pass(3)
  t.same(keys.status(), { state: 'empty', kids: [], failures: 1, nextFetch: 0.5 })
  issuer.publishes([a.jwk, b.jwk])
  const goodAt = clock.now() + 500
  await clock.pass(0.5)
  t.same(keys.status(), { state: 'good', kids: [a.kid, b.kid], goodAt, age: 0, failures: 0, nextFetch: 450 })
  await clock.pass(50)
  t.match(keys.status(), { goodAt, age: 50, nextFetch: 400 })
  issuer.fails()
  await clock.pass(401)
  t.match(keys.status(), { state: 'erring', kids: [a.kid, b.kid], goodAt, age: 451, failures: 2, nextFetch: 0.5 })
  await clock.pass(549)
  t.match(keys.status(), { state: 'empty', kids: [], goodAt, age: 1000 })
  keys.close()
  t.equal(keys.status().nextFetch, undefined, 'none will come')
})

t.test('a set out of a file is good for ever, and asks nobody', async (t) => {
  const file = join(t.testdir({ 'jwks.json': JSON.stringify({ keys: [a.jwk] }) }), 'jwks.json')
  const keys = await openKeySet({ file })
  t.same(keys.status(), { state: 'good', kids: [a.kid], failures: 0 })
  t.equal((await keys.find(a.kid))?.kid, a.kid)
  t.equal(await keys.find(b.kid), undefined)
  keys.close()
})

t.test('every fetch and every failure is told with how the set then stands', async (t) => {
  const lines: { level: string; details: object; message: string }[] = []
  const write = (level: string) => (details: object, message: string) => lines.push({ level, details, message })
  const { clock, issuer, open } = stage({ log: { info: write('info'), warn: write('warn') } })
  issuer.publishes([a.jwk, { ...b.jwk, e: 'AQ' }])
  await open()
  issuer.fails()
  await clock.pass(450)
  t.match(lines, [
    { level: 'warn', details: { url: URL }, message: /is skipped: its exponent is not 65537/ },
    { level: 'info', details: { url: URL, state: 'good', kids: [a.kid], nextFetch: 450 }, message: 'key set fetched' },
    {
      level: 'warn',
      details: { state: 'erring', age: 450, failures: 1 },
      message: 'key set not fetched: connect ECONNREFUSED'
    }
  ])
})

const NO_OPTIONS: Record<string, unknown> = {
  'a URL that is none': { url: 'auth.example.com/jwks.json' },
  'a URL of a file': { url: 'file:///etc/jwks.json' },
  'an age that is NaN': { url: URL, staleAge: Number.NaN },
  'an age of nothing': { url: URL, minAge: 0, maxAge: 0 },
  'a cooldown below zero': { url: URL, cooldown: -1 },
  'a time limit of nothing': { url: URL, timeout: 0 },
  'a time limit that is a text': { url: URL, timeout: '3' },
  'neither URL nor file': {}
}

t.test('what is no option keeps the set from opening', async (t) => {
  for (const [name, options] of Object.entries(NO_OPTIONS)) {
    await t.rejects(openKeySet(options as KeySetOptions), { name: 'TypeError' }, name)
  }
})

t.test(
  'a URL with a name or a password in it is refused, because it would be logged, and the error does not show it',
  async (t) => {
    for (const user of ['ada:hush', 'hush', ':hush']) {
      const error = await openKeySet({ url: `https://${user}@auth.example.com/jwks.json` }).catch((error) => error)
      t.match(error, { name: 'TypeError', message: 'url must hold no user name and no password: it is logged.' }, user)
      t.notMatch(error.message, 'hush', user)
    }
  }
)

t.test('a secret in the query of the URL is sent to the issuer, and stands in no line of the log', async (t) => {
  const clock = new FakeClock()
  const issuer = new FakeIssuer(clock)
  const asked: string[] = []
  const lines: string[] = []
  const note = (details: object, message: string) => void lines.push(JSON.stringify([details, message]))
  const keys = await openKeySet({
    url: `${URL}?api_key=hush#hush`,
    clock,
    log: { info: note, warn: note },
    fetch: (url, init) => {
      asked.push(String(url))
      return issuer.fetch(url, init)
    }
  })
  t.teardown(() => keys.close())
  issuer.fails()
  await clock.pass(60)
  t.match(keys.unready(), `no key set from ${URL}`)
  issuer.publishes([a.jwk, { ...a.jwk, kid: 'odd', e: 'AQ' }])
  await clock.pass(60)
  t.equal(keys.status().state, 'good')
  t.match(asked[0], /api_key=hush/)
  between(t, lines.length, { least: 4 }, 'lines')
  t.match(lines.join(), URL)
  t.notMatch(lines.join() + String(keys.unready()), /hush/)
})
