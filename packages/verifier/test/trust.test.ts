import type { AccessClaims } from '@latchkey/tokens/claims'
import t from 'tap'
import { accessClaims, accessToken, type Members, makeKey, type TestKey } from '../../testing/src/tokens.ts'
import { readKeySet, type VerificationKey } from '../src/jwk.ts'
import { createVerifier, type Verifier } from '../src/verifier.ts'
import type { VerifiedToken, VerifierOptions } from '../src/verifier-options.ts'

const issuer = 'https://auth.example.com'
const audience = 'latchkey'
const [a, b] = await Promise.all([makeKey(), makeKey()])
const [ada, bob, eve, fay, gus] = [0, 1, 2, 3, 4].map((n) => `00000000-0000-4000-8000-00000000000${n}`)

/** A verifier with two keys, under a clock that the test moves. */
interface Scene {
  readonly verifier: Verifier
  /** Seconds since 1970. */
  now: number
  /** What the key set holds, by kid; the test takes keys away. */
  readonly held: Map<string, VerificationKey>
  token(claims: Members, key?: TestKey): string
}

function scene(options: Partial<VerifierOptions> = {}): Scene {
  const held = readKeySet(JSON.stringify({ keys: [a.jwk, b.jwk] }), new Map(), t.fail) ?? new Map()
  const keys = { held: (kid: string) => held.get(kid), find: async (kid: string) => held.get(kid) }
  const scene: Scene = {
    verifier: createVerifier({ issuer, audience, keys, now: () => scene.now * 1000, ...options }),
    now: 1_800_000_000,
    held,
    token: (claims, key = a) => accessToken(key, { ...accessClaims(issuer, audience, scene.now), sub: ada, ...claims })
  }
  return scene
}

/** What becomes of a token as the Fastify plugin asks: what is remembered first, then the whole. */
async function verdict({ verifier }: Scene, token: string): Promise<string> {
  try {
    return verifier.recall(token) || (await verifier.verify(token)) ? 'accepted' : 'nothing'
  } catch (error) {
    return (error as { code: string }).code
  }
}

t.test('trusted is asked on every request, with header and claims, and once', async (t) => {
  const asked: VerifiedToken[] = []
  const it = scene({ trusted: (token) => asked.push(token) > 0 })
  const token = it.token({ epoch: 3 })
  for (let i = 1; i <= 3; i += 1) {
    t.equal(await verdict(it, token), 'accepted')
    t.equal(asked.length, i)
  }
  t.match(asked[2], {
    header: { alg: 'RS256', typ: 'at+jwt', kid: a.kid },
    claims: { sub: ada, epoch: 3, sid: String }
  })
  t.strictSame([asked[2], asked[2]?.header, asked[2]?.claims].map(Object.isFrozen), [true, true, true])
})

t.test(
  'a token that is trusted no more is refused although its verdict is remembered, and may be trusted again',
  async (t) => {
    let revoked: string | undefined
    const it = scene({ trusted: ({ claims }) => claims.sid !== revoked })
    const [token, other] = [it.token({}), it.token({})]
    const { sid } = (await it.verifier.verify(token)) as AccessClaims
    await it.verifier.verify(other)
    revoked = sid
    t.throws(() => it.verifier.recall(token), { code: 'invalid_token' })
    t.equal(await verdict(it, token), 'invalid_token')
    t.equal(await verdict(it, other), 'accepted')
    revoked = undefined
    t.equal(await verdict(it, token), 'accepted')
  }
)

t.test('trusted is not asked about a token that is not good anyway', async (t) => {
  const it = scene({ trusted: () => t.fail('asked') })
  const { exp: _, ...endless } = accessClaims(issuer, audience, it.now)
  it.held.delete(b.kid)
  for (const token of [
    it.token({ exp: it.now - 60 }),
    it.token({ aud: 'x' }),
    accessToken(a, endless),
    it.token({}, b)
  ]) {
    t.match(await verdict(it, token), /^(invalid_token|token_expired)$/)
  }
})

t.test('whatever trusted answers that is not true refuses: a promise, too', async (t) => {
  for (const answer of [false, undefined, null, 1, 'yes', Promise.resolve(true)]) {
    const it = scene({ trusted: () => answer as boolean })
    t.equal(await verdict(it, it.token({})), 'invalid_token', String(answer))
  }
  const it = scene({
    trusted: () => {
      throw new Error('no feed')
    }
  })
  await t.rejects(it.verifier.verify(it.token({})), { message: 'no feed' })
})

t.test('once a higher epoch of a subject was seen the lower ones are refused, remembered or not', async (t) => {
  const it = scene()
  const [old, unseen, after] = [it.token({ epoch: 4 }), it.token({ epoch: 4 }), it.token({ epoch: 5 })]
  const others = it.token({ sub: bob, epoch: 1 })
  for (const token of [old, others, after]) t.equal(await verdict(it, token), 'accepted')
  for (const token of [old, unseen, it.token({ epoch: 0 })]) t.equal(await verdict(it, token), 'invalid_token')
  for (const token of [after, others, it.token({ epoch: 5 }, b), it.token({ epoch: 6 })]) {
    t.equal(await verdict(it, token), 'accepted')
  }
  t.equal(await verdict(it, after), 'invalid_token')
})

t.test('only a token that is good raises the epoch', async (t) => {
  const it = scene()
  const stranger = await makeKey()
  const token = it.token({ epoch: 1 })
  const bad = [
    accessToken(stranger, { ...accessClaims(issuer, audience, it.now), sub: ada, epoch: 9 }, { kid: a.kid }),
    it.token({ epoch: 9, aud: 'others' }),
    it.token({ epoch: 9, exp: it.now - 60 }),
    it.token({ epoch: 9, sid: 'x' })
  ]
  for (const forged of bad) {
    t.match(await verdict(it, forged), /^(invalid_token|token_expired)$/)
    t.equal(await verdict(it, token), 'accepted')
  }
})

t.test('an epoch counts as long as its key is held, so that a stolen key shuts nobody out for ever', async (t) => {
  const it = scene()
  const token = it.token({ epoch: 2 })
  t.equal(await verdict(it, token), 'accepted')
  t.equal(await verdict(it, it.token({ epoch: Number.MAX_SAFE_INTEGER }, b)), 'accepted')
  t.equal(await verdict(it, token), 'invalid_token')
  it.held.delete(b.kid)
  t.equal(await verdict(it, token), 'accepted')
  t.equal(await verdict(it, it.token({ epoch: 1 })), 'invalid_token')
})

t.test('an epoch counts until the last token that showed it has ended, leeway included', async (t) => {
  const it = scene({ leeway: 10 })
  const long = it.token({ epoch: 1, exp: it.now + 2000 })
  await it.verifier.verify(it.token({ epoch: 2, exp: it.now + 60 }))
  await it.verifier.verify(it.token({ epoch: 2, exp: it.now + 100 }))
  it.now += 109.9
  t.equal(await verdict(it, long), 'invalid_token')
  it.now += 0.1
  t.equal(await verdict(it, long), 'accepted')
})

t.test('of more subjects than are remembered those are forgotten whose epochs rose least recently', async (t) => {
  const it = scene({ maxSubjects: 2 })
  const show = (sub: string | undefined, epoch: number) => verdict(it, it.token({ sub, epoch }))
  t.equal(await show(ada, 1), 'accepted')
  t.equal(await show(bob, 1), 'accepted')
  t.equal(await show(ada, 2), 'accepted')
  t.equal(await show(bob, 1), 'accepted', 'shown again, and not raised')
  t.equal(await show(eve, 0), 'accepted', 'takes no place: no epoch is lower')
  t.equal(await show(bob, 0), 'invalid_token')
  for (const sub of [eve, fay, gus]) t.equal(await show(sub, 1), 'accepted')
  t.equal(await show(bob, 0), 'accepted', 'forgotten')
  for (const sub of [fay, gus]) t.equal(await show(sub, 0), 'invalid_token')
})

t.test('ten thousand subjects are remembered where nothing is said, and none where that is said', async (t) => {
  const key: VerificationKey = { kid: a.kid, jwk: a.jwk, verifies: () => true }
  const keys = { held: () => key, find: async () => key }
  const it = { ...scene(), verifier: createVerifier({ issuer, audience, keys, now: () => 1_800_000_000_000 }) }
  const [first = '', kept = ''] = [0, 10_001].map((n) => `00000000-0000-4000-8000-${`${n}`.padStart(12, '0')}`)
  const template = it.token({ sub: first, epoch: 1 }).split('.')
  const unsigned = (sub: string, epoch: number) => {
    const claims = { ...accessClaims(issuer, audience, it.now), sub, epoch }
    return [template[0], Buffer.from(JSON.stringify(claims)).toString('base64url'), template[2]].join('.')
  }
  for (let n = 0; n <= 20_000; n += 1) {
    await it.verifier.verify(unsigned(`00000000-0000-4000-8000-${`${n}`.padStart(12, '0')}`, 1))
  }
  t.equal(await verdict(it, unsigned(first, 0)), 'accepted')
  t.equal(await verdict(it, unsigned(kept, 0)), 'invalid_token')
  const none = scene({ maxSubjects: 0 })
  t.equal(await verdict(none, none.token({ epoch: 2 })), 'accepted')
  t.equal(await verdict(none, none.token({ epoch: 1 })), 'accepted')
})
