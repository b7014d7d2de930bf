import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createVerifier, openKeySet, type Problem, type Verifier } from '@latchkey/verifier'
import t, { type Test } from 'tap'
import { between } from '../../testing/src/between.ts'
import { accessClaims, accessToken, makeKey, type TestKey } from '../../testing/src/tokens.ts'
import type { RemoteKeySetOptions } from '../src/remote-key-set-options.ts'
import { FakeClock, settle } from './fake-clock.ts'
import { FakeIssuer, URL } from './fake-issuer.ts'
import { OUTAGES } from './outages.ts'

const ISSUER = 'https://auth.example.com'
const AUDIENCE = 'latchkey'
const DAY = 86_400
const [a, b] = await Promise.all([makeKey(), makeKey()])

/** A service that verifies, its issuer, and the clock of both. */
interface Scene {
  readonly verifier: Verifier
  readonly issuer: FakeIssuer
  readonly clock: FakeClock
  /** Signs a new token, good for two days. */
  token(key?: TestKey, header?: Record<string, unknown>): string
}

async function start(
  t: Test,
  prepare: (issuer: FakeIssuer) => void,
  options: Partial<RemoteKeySetOptions> = {}
): Promise<Scene> {
  const clock = new FakeClock()
  const issuer = new FakeIssuer(clock)
  prepare(issuer)
  const keys = await openKeySet({ url: URL, clock, fetch: issuer.fetch, ...options })
  t.teardown(() => keys.close())
  const verifier = createVerifier({ issuer: ISSUER, audience: AUDIENCE, keys, now: () => clock.now() })
  const token: Scene['token'] = (key = a, header) => {
    const now = Math.floor(clock.now() / 1000)
    return accessToken(key, { ...accessClaims(ISSUER, AUDIENCE, now), exp: now + 2 * DAY }, header)
  }
  await settle()
  return { verifier, issuer, clock, token }
}

/** Shows a token and tells how that ends, now and later: `accepted`, a code, or `waiting`. */
function show({ verifier }: Scene, token: string): { is: string } {
  const shown = { is: 'waiting' }
  verifier.verify(token).then(
    () => {
      shown.is = 'accepted'
    },
    (error: Problem) => {
      shown.is = error.code
    }
  )
  return shown
}

async function verdict(scene: Scene, token: string): Promise<string> {
  const shown = show(scene, token)
  await settle()
  return shown.is
}

const publishing =
  (...keys: TestKey[]) =>
  (issuer: FakeIssuer) =>
    issuer.publishes(keys.map(({ jwk }) => jwk))
const failing = (issuer: FakeIssuer) => issuer.answers(() => new Response('oops', { status: 500 }))
/** One answer of all: what each became, without doubles. */
const kinds = (shown: { is: string }[]) => [...new Set(shown.map(({ is }) => is))]

t.test(
  'a cold start while the issuer answers 500 costs it five fetches for 200 tokens, and then all is well',
  async (t) => {
    const scene = await start(t, failing)
    const shown: { is: string }[] = []
    for (let i = 0; i < 200; i += 1) {
      shown.push(show(scene, scene.token()))
      await scene.clock.pass(0.07)
    }
    t.same(kinds(shown), ['unavailable'])
    between(t, scene.issuer.asked.length, { most: 5 }, 'fetches')
    publishing(a)(scene.issuer)
    await scene.clock.pass(15)
    t.equal(await verdict(scene, scene.token()), 'accepted')
  }
)

t.test('2,000 random kids are all refused, cost one fetch a cooldown, and nobody else notices', async (t) => {
  const scene = await start(t, publishing(a))
  const { clock, issuer } = scene
  const seen = scene.token()
  const [flood, valid]: [{ is: string }[], { is: string }[]] = [[], []]
  for (let i = 0; i < 2000; i += 1) {
    flood.push(show(scene, scene.token(b, { kid: randomUUID() })))
    if (i % 20 === 0) valid.push(show(scene, scene.token()), show(scene, seen))
    await clock.pass(0.01)
    const waiting = valid.filter(({ is }) => is === 'waiting')
    if (waiting.length > 0) t.fail('a good token waited')
  }
  await clock.pass(5)
  t.same([kinds(flood), kinds(valid)], [['invalid_token'], ['accepted']])
  t.same(
    issuer.asked.map(({ at }) => Math.round(at)),
    [0, 5, 10, 15, 20]
  )
})

for (const [how, fail] of Object.entries(OUTAGES)) {
  t.test(
    `while the issuer ${how}, tokens are good for the time a set may be stale, and then it is no fault of theirs`,
    async (t) => {
      const scene = await start(t, publishing(a), { staleAge: 3600 })
      const { clock, issuer, verifier } = scene
      const [seen, unseen, unknown] = [scene.token(), scene.token(), scene.token(b)]
      t.equal(await verdict(scene, seen), 'accepted')
      fail(issuer)
      await clock.pass(3590)
      const waiting = show(scene, unknown)
      await clock.pass(9)
      t.equal(waiting.is, 'unavailable', 'an old set cannot prove that a key does not exist')
      t.same([await verdict(scene, seen), await verdict(scene, unseen)], ['accepted', 'accepted'])
      await clock.pass(1)
      t.equal(verifier.recall(seen), undefined)
      const [late, lateToo] = [show(scene, seen), show(scene, scene.token())]
      await clock.pass(3)
      t.same([late.is, lateToo.is], ['unavailable', 'unavailable'])
      between(t, issuer.asked.length, { most: 3600 / 7 }, 'it is not asked in vain too often')
      publishing(a)(issuer)
      await clock.pass(18)
      t.same([await verdict(scene, seen), await verdict(scene, scene.token())], ['accepted', 'accepted'])
    }
  )
}

t.test('an expired token of a key that cannot be known now is no fault of the token, and costs no fetch', async (t) => {
  const scene = await start(t, failing, { staleAge: 3600 })
  const { clock, issuer } = scene
  const expired = (key: TestKey) => {
    const now = Math.floor(clock.now() / 1000)
    return accessToken(key, { ...accessClaims(ISSUER, AUDIENCE, now), exp: now - 60 })
  }
  const both = async () => [await verdict(scene, expired(a)), await verdict(scene, expired(b))]
  t.same(await both(), ['unavailable', 'unavailable'], 'there never was a set')
  publishing(a)(issuer)
  await clock.pass(2)
  t.same(await both(), ['token_expired', 'invalid_token'], 'the set is good')
  failing(issuer)
  await clock.pass(600)
  t.same(await both(), ['token_expired', 'unavailable'], 'the set is old, and cannot prove that a key does not exist')
  await clock.pass(3600)
  t.same(await both(), ['unavailable', 'unavailable'], 'the set is believed no more')
  const asked = issuer.asked.length
  for (let i = 0; i < 50; i += 1) await both()
  t.equal(issuer.asked.length, asked)
})

t.test('a new key is picked up by the schedule, before anybody shows a token of it', async (t) => {
  const scene = await start(t, publishing(a))
  publishing(a, b)(scene.issuer)
  await scene.clock.pass(540)
  const asked = scene.issuer.asked.length
  t.equal(await verdict(scene, scene.token(b)), 'accepted')
  t.equal(scene.issuer.asked.length, asked)
})

t.test('a token of a brand-new key is accepted inside the cooldown, after a wait that has an end', async (t) => {
  const scene = await start(t, publishing(a))
  await scene.clock.pass(1)
  publishing(a, b)(scene.issuer)
  const token = show(scene, scene.token(b))
  await scene.clock.pass(3.9)
  t.equal(token.is, 'waiting')
  await scene.clock.pass(0.1)
  t.equal(token.is, 'accepted')
  t.equal(scene.issuer.asked.length, 2)
})

t.test('a withdrawn key is refused within the longest age of the set, though its verdict was remembered', async (t) => {
  const scene = await start(t, (issuer) => issuer.publishes([a.jwk, b.jwk], { 'cache-control': 'max-age=86400' }))
  const token = scene.token()
  t.equal(await verdict(scene, token), 'accepted')
  publishing(b)(scene.issuer)
  await scene.clock.pass(600)
  t.equal(scene.verifier.recall(token), undefined)
  const refused = show(scene, token)
  await scene.clock.pass(5)
  t.equal(refused.is, 'invalid_token')
  t.equal(await verdict(scene, scene.token(b)), 'accepted')
})

t.test('a restart while the issuer is down goes on with the set that was kept', async (t) => {
  const cacheFile = join(t.testdir(), 'jwks.json')
  await start(t, publishing(a), { cacheFile })
  while ((await readFile(cacheFile, 'utf8').catch(() => '')) === '') await settle()
  const scene = await start(t, failing, { cacheFile, staleAge: 3600 })
  t.equal(await verdict(scene, scene.token()), 'accepted')
  t.equal(await verdict(scene, scene.token(b)), 'unavailable')
  await scene.clock.pass(3600)
  t.equal(await verdict(scene, scene.token()), 'unavailable')
})

t.test('a token that is no good anyway never makes anybody ask the issuer, nor wait', async (t) => {
  const scene = await start(t, publishing(a))
  await scene.clock.pass(10)
  const now = Math.floor(scene.clock.now() / 1000)
  const claims = accessClaims(ISSUER, AUDIENCE, now)
  const bad: Record<string, [token: string, code: string]> = {
    form: ['a.b.c', 'invalid_token'],
    kid: [accessToken(b, claims, { kid: '../k' }), 'invalid_token'],
    alg: [accessToken(b, claims, { alg: 'HS256' }), 'invalid_token'],
    typ: [accessToken(b, claims, { typ: 'JWT' }), 'invalid_token'],
    iss: [accessToken(b, { ...claims, iss: 'https://evil.example' }), 'invalid_token'],
    aud: [accessToken(b, { ...claims, aud: 'others' }), 'invalid_token'],
    exp: [accessToken(b, { ...claims, exp: now - 60 }), 'invalid_token']
  }
  for (const [what, [token, code]] of Object.entries(bad)) t.equal(await verdict(scene, token), code, what)
  t.equal(scene.issuer.asked.length, 1)
})
