// Tokens that callers hold: examined or readmitted, and asked for again and again.
import { randomUUID } from 'node:crypto'
import { Problem } from '@latchkey/problems/problem'
import t from 'tap'
import { accessClaims, makeKey } from '../../testing/src/tokens.ts'
import type { VerifiedToken } from '../src/verifier-options.ts'
import { AUDIENCE, everybody, ISSUER, ISSUER_ORIGIN, revokedKey, session, subject } from './fake-feed.ts'
import { FakeKeys, type FeedScene, openScene } from './feed-scene.ts'

const [key, other] = await Promise.all([makeKey(), makeKey()])

/** `accepted`, or the code of the refusal. */
function rechecked({ verifier }: FeedScene, token: VerifiedToken): string {
  try {
    verifier.recheck(token)
    return 'accepted'
  } catch (error) {
    return error instanceof Problem ? error.code : String(error)
  }
}

t.test('examine gives header and claims, frozen, and refuses what verify refuses', async (t) => {
  const it = await openScene(t, key)
  const text = it.token({ preferred_username: 'Ada' })
  const token = await it.verifier.examine(text)
  t.same(token.header, { alg: 'RS256', typ: 'at+jwt', kid: key.kid })
  t.equal(token.claims.preferred_username, 'Ada')
  t.ok(Object.isFrozen(token) && Object.isFrozen(token.header) && Object.isFrozen(token.claims))
  t.equal(await it.verifier.examine(text), token)
  for (const [bad, code] of [
    ['nonsense', 'invalid_token'],
    [it.token({}, other), 'invalid_token'],
    [it.token({ exp: ISSUER_ORIGIN - 60 }), 'token_expired']
  ] as const) {
    await t.rejects(it.verifier.examine(bad), { code })
  }
})

interface Row {
  readonly about: string
  readonly expected: string
  happens(it: FeedScene, token: VerifiedToken): unknown
}

const TABLE: readonly Row[] = [
  { about: 'nothing', expected: 'accepted', happens: () => {} },
  { about: 'a second less than its life', expected: 'accepted', happens: ({ clock }) => clock.pass(98) },
  {
    about: 'the end of its life, within the leeway',
    expected: 'token_expired',
    happens: ({ clock }) => clock.pass(101)
  },
  { about: 'its key is withdrawn', expected: 'invalid_token', happens: ({ keys }) => keys.lists(other) },
  {
    about: 'its key was withdrawn, and is back',
    expected: 'invalid_token',
    happens: ({ keys }) => {
      keys.lists(other)
      keys.lists(key, other)
    }
  },
  {
    about: 'a later epoch of its user is seen',
    expected: 'invalid_token',
    happens: ({ verifier, token }, { claims }) => verifier.verify(token({ sub: claims.sub, epoch: 6 }))
  },
  {
    about: 'a later epoch of another user is seen',
    expected: 'accepted',
    happens: ({ verifier, token }) => verifier.verify(token({ epoch: 6 }))
  },
  { about: 'the feed names its session', expected: 'invalid_token', happens: tells(({ sid }) => session(sid)) },
  { about: 'the feed names its user', expected: 'invalid_token', happens: tells(({ sub }) => subject(sub, 6)) },
  { about: 'the feed names its key', expected: 'invalid_token', happens: tells(() => revokedKey(key.kid)) },
  { about: 'the feed ends everybody', expected: 'invalid_token', happens: tells(() => everybody(ISSUER_ORIGIN + 1)) },
  { about: 'the feed names somebody else', expected: 'accepted', happens: tells(() => session(randomUUID())) },
  {
    about: 'the feed is cut',
    expected: 'unavailable',
    happens: ({ feed, clock }) => {
      feed.travel = () => new Promise(() => {})
      return clock.pass(40)
    }
  },
  { about: 'it is no longer trusted', expected: 'invalid_token', happens: (_it, token) => void distrusted.add(token) }
]

const distrusted = new WeakSet<VerifiedToken>()

function tells(entry: (claims: VerifiedToken['claims']) => ReturnType<typeof session>): Row['happens'] {
  return async ({ feed, clock }, { claims }) => {
    feed.tells(entry(claims))
    await clock.pass(1)
  }
}

for (const { about, expected, happens } of TABLE) {
  t.test(`recheck after: ${about}`, async (t) => {
    const trusted = (token: VerifiedToken) => !distrusted.has(token)
    const options = { bound: 30 }
    const it = await openScene(t, key, options, { keys: new FakeKeys(key, other), verifier: { trusted } })
    const own = { sub: randomUUID(), sid: randomUUID(), epoch: 5, exp: ISSUER_ORIGIN + 100 }
    const shown = await it.verifier.examine(it.token(own))
    const { header, claims } = await it.verifier.examine(it.token(own))
    const kept = await it.verifier.readmit({ kid: header.kid, claims: JSON.parse(JSON.stringify(claims)) })
    t.equal(rechecked(it, shown), 'accepted')
    await happens(it, shown)
    if (expected === 'invalid_token' && distrusted.has(shown)) distrusted.add(kept)
    t.same([rechecked(it, shown), rechecked(it, kept)], [expected, expected])
  })
}

t.test('what was kept of a token is judged as if it was shown now', async (t) => {
  const it = await openScene(t, key, {}, { keys: new FakeKeys(key, other) })
  const sub = randomUUID()
  const claims = { ...accessClaims(ISSUER, AUDIENCE, ISSUER_ORIGIN), sub }
  const admitted = await it.verifier.readmit({ kid: key.kid, claims: { ...claims, extra: 1 } })
  t.same(admitted, { header: { alg: 'RS256', typ: 'at+jwt', kid: key.kid }, claims })
  for (const [kept, code] of [
    [{ kid: 'unknown', claims }, 'invalid_token'],
    [{ kid: '../x', claims }, 'invalid_token'],
    [{ kid: key.kid, claims: {} }, 'invalid_token'],
    [{ kid: key.kid, claims: { ...claims, aud: 'another' } }, 'invalid_token'],
    [{ kid: key.kid, claims: { ...claims, iss: 'https://another.example' } }, 'invalid_token'],
    [{ kid: key.kid, claims: { ...claims, token_use: 'refresh' } }, 'invalid_token'],
    [{ kid: key.kid, claims: { ...claims, exp: ISSUER_ORIGIN - 60 } }, 'token_expired']
  ] as const) {
    await t.rejects(it.verifier.readmit(kept), { code })
  }
  it.keys.lists(other)
  await t.rejects(it.verifier.readmit({ kid: key.kid, claims }), { code: 'invalid_token' }, 'its key is withdrawn')
  it.keys.lists(key)
  it.feed.tells(subject(sub, 1))
  await it.clock.pass(1)
  await t.rejects(it.verifier.readmit({ kid: key.kid, claims }), { code: 'invalid_token' }, 'the feed names it')
})

t.test('a token that is held can be watched', async (t) => {
  const it = await openScene(t, key)
  const reasons: string[] = []
  const sid = randomUUID()
  const token = await it.verifier.examine(it.token({ sid }))
  it.verifier.watch(token, (reason) => void reasons.push(reason))
  await it.clock.pass(1)
  t.same(reasons, [])
  it.feed.tells(session(sid))
  await it.clock.pass(1)
  t.same(reasons, ['revoked'])
})

t.test('a token of another verifier is a TypeError', async (t) => {
  const [it, another] = [await openScene(t, key), await openScene(t, key)]
  const token = await another.verifier.examine(another.token())
  t.throws(() => it.verifier.recheck(token), TypeError)
  t.throws(() => it.verifier.recheck({ ...token }), TypeError)
  t.throws(() => it.verifier.watch(token, () => {}), TypeError)
})
