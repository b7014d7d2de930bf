import { Problem, unavailable } from '@latchkey/problems/problem'
import t from 'tap'
import { accessClaims, accessToken, compact, type Members, makeKey } from '../../testing/src/tokens.ts'
import { readKeySet, type VerificationKey } from '../src/jwk.ts'
import type { KeySource } from '../src/key-set.ts'
import { createVerifier, type Verifier } from '../src/verifier.ts'
import type { VerifierOptions } from '../src/verifier-options.ts'

const issuer = 'https://auth.example.com'
const audience = 'latchkey'
const [ours, stranger] = await Promise.all([makeKey(), makeKey()])

/** A verifier with one key, under a clock that the test moves, and what it did. */
interface Scene {
  readonly verifier: Verifier
  /** Seconds since 1970. */
  now: number
  /** What the key set holds; nothing is a set that is empty. */
  held: VerificationKey | undefined
  /** Signatures that were checked. */
  checked: number
  /** Keys that were asked for. */
  readonly asked: string[]
  token(claims?: Members): string
}

function scene(options: Partial<VerifierOptions> = {}): Scene {
  const asked: string[] = []
  const keys: KeySource = {
    held: (kid) => (kid === scene.held?.kid ? scene.held : undefined),
    find: async (kid) => {
      asked.push(kid)
      if (!scene.held) throw unavailable('no key set', 7)
      return keys.held(kid)
    }
  }
  const scene: Scene = {
    verifier: createVerifier({ issuer, audience, keys, now: () => scene.now * 1000, ...options }),
    now: 1_800_000_000,
    held: undefined,
    checked: 0,
    asked,
    token: (claims = {}) => accessToken(ours, { ...accessClaims(issuer, audience, scene.now), ...claims })
  }
  scene.held = counting(scene)
  return scene
}

function counting(scene: { checked: number }, key = ours): VerificationKey {
  const real = readKeySet(JSON.stringify({ keys: [key.jwk] }), new Map(), t.fail)?.get(key.kid)
  if (!real) throw new Error('no key')
  return {
    ...real,
    verifies: (token) => {
      scene.checked += 1
      return real.verifies(token)
    }
  }
}

async function verdict({ verifier }: Scene, token: string): Promise<string> {
  return verifier.verify(token).then(
    () => 'accepted',
    (error) => (error instanceof Problem ? error.code : String(error))
  )
}

t.test('a good token says its claims, which nobody can change', async (t) => {
  const { verifier, token, now } = scene()
  const claims = { ...accessClaims(issuer, audience, now), roles: ['user', 'admin'] }
  const known = await verifier.verify(token({ ...claims, more: true }))
  t.same(known, claims)
  t.strictSame([known, known.roles].map(Object.isFrozen), [true, true])
})

t.test('of tokens at once each has its own verdict', async (t) => {
  const it = scene()
  const [one, other] = [it.token(), it.token()]
  const withSignatureOf = (token: string, signed: string) => token.replace(/[^.]*$/, String(signed.split('.').at(-1)))
  const expired = it.token({ exp: it.now - 60 })
  const tokens: [token: string, said: string][] = [
    [one, 'accepted'],
    [withSignatureOf(one, other), 'invalid_token'],
    [expired, 'token_expired'],
    [withSignatureOf(expired, one), 'invalid_token'],
    [accessToken({ ...stranger, kid: ours.kid }, accessClaims(issuer, audience, it.now)), 'invalid_token'],
    ['no token', 'invalid_token'],
    [other, 'accepted']
  ]
  for (const all of [tokens, tokens.toReversed()]) {
    const fresh = scene()
    const said = await Promise.all(all.map(([token]) => verdict(fresh, token)))
    t.same(
      said,
      all.map(([, expected]) => expected)
    )
  }
})

t.test('the signatures of one turn are checked together, and then answered in the order of the requests', async (t) => {
  const it = scene()
  const users = ['a', 'b', 'c']
  for (const checked of [3, 6]) {
    const answered: string[] = []
    await Promise.all(
      users.map(async (preferred_username) => {
        // As requests do, they come one by one within a turn.
        await new Promise((resolve) => setImmediate(resolve))
        const claims = await it.verifier.verify(it.token({ preferred_username }))
        t.equal(it.checked, checked)
        answered.push(claims.preferred_username)
      })
    )
    t.same(answered, users)
  }
  await it.verifier.verify(it.token())
  t.equal(it.checked, 7, 'the next turn is for itself')
})

t.test('a verdict is remembered: the second time nothing is checked and nobody asked', async (t) => {
  const it = scene()
  const token = it.token()
  t.equal(it.verifier.recall(token), undefined)
  const claims = await it.verifier.verify(token)
  t.equal(it.verifier.recall(token), claims)
  t.equal(await it.verifier.verify(token), claims)
  t.match(it, { checked: 1, asked: [ours.kid] })
  t.equal(it.asked.length, 1)
})

t.test('a verdict is of one token, to the last character', async (t) => {
  const it = scene()
  const token = it.token()
  await it.verifier.verify(token)
  for (const other of [`${token}A`, token.slice(0, -1), token.toLowerCase(), `${token} `, '']) {
    t.equal(it.verifier.recall(other), undefined)
  }
})

t.test('a verdict ends with its token', async (t) => {
  const it = scene({ leeway: 10 })
  const token = it.token({ exp: it.now + 60 })
  await it.verifier.verify(token)
  it.now += 69.9
  t.equal(it.verifier.recall(token)?.exp, 1_800_000_060)
  it.now += 0.1
  t.equal(it.verifier.recall(token), undefined)
  t.equal(await verdict(it, token), 'token_expired')
})

t.test('a verdict goes with its key', async (t) => {
  const it = scene()
  const token = it.token()
  const first = it.held
  await it.verifier.verify(token)
  it.held = counting(it, stranger)
  t.equal(it.verifier.recall(token), undefined)
  t.equal(await verdict(it, token), 'invalid_token', 'the key was withdrawn')
  it.held = first
  t.equal(it.verifier.recall(token), undefined, 'a verdict once gone does not come back')
})

t.test('a verdict is of the key as it was: another one under its kid has to judge anew', async (t) => {
  const it = scene()
  const token = it.token()
  await it.verifier.verify(token)
  it.held = { ...counting(it, stranger), kid: ours.kid }
  t.equal(it.verifier.recall(token), undefined)
  t.equal(await verdict(it, token), 'invalid_token')
})

t.test('a verdict does not outlive the key set', async (t) => {
  const it = scene()
  const token = it.token()
  await it.verifier.verify(token)
  it.held = undefined
  t.equal(it.verifier.recall(token), undefined)
  t.equal(await verdict(it, token), 'unavailable')
})

t.test(
  'as many verdicts are remembered as is said, at most twice as many, and the oldest are forgotten first',
  async (t) => {
    const it = scene({ maxVerdicts: 3 })
    const tokens = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((preferred_username) => it.token({ preferred_username }))
    for (const token of tokens) await it.verifier.verify(token)
    const remembered = () => tokens.map((token) => it.verifier.recall(token)?.preferred_username)
    t.same(remembered(), [undefined, undefined, undefined, 'd', 'e', 'f', 'g'])
    await it.verifier.verify(tokens[0] ?? '')
    t.same(remembered(), ['a', undefined, undefined, 'd', 'e', 'f', 'g'])
  }
)

t.test('ten thousand verdicts are remembered where nothing is said', async (t) => {
  const it = scene()
  const key: VerificationKey = { kid: ours.kid, jwk: ours.jwk, verifies: () => true }
  it.held = key
  const claims = accessClaims(issuer, audience, it.now)
  const header = { alg: 'RS256', typ: 'at+jwt', kid: ours.kid }
  const unsigned = (n: number) =>
    compact(header, { ...claims, preferred_username: `${n}` }, () => Buffer.from('signature'))
  const named = (...numbers: number[]) =>
    numbers.map((n) => it.verifier.recall(unsigned(n))?.preferred_username ?? 'forgotten')
  for (let n = 0; n <= 20_000; n += 1) await it.verifier.verify(unsigned(n))
  t.same(named(0, 10_001, 20_000), ['forgotten', '10001', '20000'])
})

t.test('a refusal is not remembered', async (t) => {
  const it = scene({ maxVerdicts: 1 })
  const [good, bad] = [it.token(), accessToken(stranger, accessClaims(issuer, audience, it.now), { kid: ours.kid })]
  await it.verifier.verify(good)
  for (let i = 0; i < 3; i += 1) t.equal(await verdict(it, bad), 'invalid_token')
  t.equal(it.checked, 4)
  t.match(it.verifier.recall(good), { iss: issuer })
})

t.test('a token is expired only when its signature is genuine, and no key is asked for to tell', async (t) => {
  const it = scene()
  const claims = { ...accessClaims(issuer, audience, it.now), exp: it.now - 60 }
  const expired: [name: string, token: string, verdict: string][] = [
    ['genuine', accessToken(ours, claims), 'token_expired'],
    ['forged', accessToken(stranger, claims, { kid: ours.kid }), 'invalid_token'],
    ['of an unknown key', accessToken(stranger, claims), 'invalid_token'],
    ['of another issuer', accessToken(ours, { ...claims, iss: 'x' }), 'invalid_token']
  ]
  for (const [name, token, expected] of expired) {
    t.equal(await verdict(it, token), expected, name)
    t.equal(it.verifier.recall(token), undefined, name)
  }
  t.same(it.asked, [])
})

t.test('a token of an unknown key is invalid when that can be known, and 503 with a time when it cannot', async (t) => {
  const it = scene()
  const token = accessToken(stranger, accessClaims(issuer, audience, it.now))
  t.equal(await verdict(it, token), 'invalid_token')
  it.held = undefined
  await t.rejects(it.verifier.verify(token), { code: 'unavailable', options: { retryAfter: 7 } })
})

t.test('five seconds of leeway and the time of the system are the defaults', async (t) => {
  const it = scene()
  t.equal(await verdict(it, it.token({ exp: it.now - 4 })), 'accepted')
  t.equal(await verdict(it, it.token({ exp: it.now - 5 })), 'token_expired')
  t.equal(await verdict(it, it.token({ iat: it.now + 5 })), 'accepted')
  t.equal(await verdict(it, it.token({ iat: it.now + 6 })), 'invalid_token')
  const { held } = it
  const keys = { held: () => held, find: async () => held }
  const verifier = createVerifier({ issuer, audience, keys })
  const now = Math.floor(Date.now() / 1000)
  t.match(await verifier.verify(accessToken(ours, accessClaims(issuer, audience, now))), { iat: now })
})

t.test('a verifier that forgets whom it trusts does not compile, and in plain JavaScript does not begin', async (t) => {
  const { held } = scene()
  const keys = { held: () => held, find: async () => held }
  // @ts-expect-error: without an issuer it would take anybody's tokens
  t.throws(() => createVerifier({ audience, keys }), { name: 'TypeError', message: /^issuer must/ })
  // @ts-expect-error: without an audience it would take tokens for others
  t.throws(() => createVerifier({ issuer, keys }), { name: 'TypeError', message: /^audience must/ })
  // @ts-expect-error: a service is one audience, not several
  t.throws(() => createVerifier({ issuer, audience: [audience], keys }), { message: /^audience must/ })
  // @ts-expect-error: without keys it could verify nothing
  t.throws(() => createVerifier({ issuer, audience }), { name: 'TypeError', message: /^keys must/ })
  t.throws(() => createVerifier({ issuer: '', audience, keys }), { message: /^issuer must/ })
  // @ts-expect-error: an answer that comes later is none
  createVerifier({ issuer, audience, keys, trusted: async () => true })
})

t.test('an option that is no number does not pass for one', async (t) => {
  const { held } = scene()
  const keys = { held: () => held, find: async () => held }
  for (const option of ['leeway', 'maxVerdicts', 'verdictAge', 'maxSubjects']) {
    for (const value of [Number.NaN, -1, Number.POSITIVE_INFINITY, '5', null]) {
      const options = { issuer, audience, keys, [option]: value }
      t.throws(() => createVerifier(options), { name: 'TypeError', message: new RegExp(`^${option} must`) })
    }
  }
})

t.test('a verdict ends after its longest time, and the token is verified anew', async (t) => {
  for (const [options, seconds] of [
    [{}, 300],
    [{ verdictAge: 10 }, 10]
  ] as const) {
    const it = scene(options)
    const token = it.token()
    await it.verifier.verify(token)
    it.now += seconds - 0.1
    t.match(it.verifier.recall(token), { iss: issuer })
    it.now += 0.1
    t.equal(it.verifier.recall(token), undefined)
    t.equal(await verdict(it, token), 'accepted')
    t.equal(it.checked, 2)
  }
})

t.test('where no verdict is to be remembered, every request is verified', async (t) => {
  for (const options of [{ maxVerdicts: 0 }, { verdictAge: 0 }]) {
    const it = scene(options)
    const token = it.token()
    for (let i = 0; i < 3; i += 1) t.equal(await verdict(it, token), 'accepted')
    t.equal(it.checked, 3)
  }
})

t.test('a token that ends while it waits, for its key or for its turn, is expired', async (t) => {
  for (const slow of ['find', 'verifies'] as const) {
    const it = scene()
    const key = it.held as VerificationKey
    const late = <R>(what: R) => {
      it.now += 8
      return what
    }
    it.held = { ...key, verifies: (token) => (slow === 'verifies' ? late(key.verifies(token)) : key.verifies(token)) }
    const find = async () => (slow === 'find' ? late(it.held) : it.held)
    const verifier = createVerifier({ issuer, audience, keys: { held: () => it.held, find }, now: () => it.now * 1000 })
    await t.rejects(verifier.verify(it.token({ exp: it.now + 3 })), { code: 'token_expired' }, slow)
  }
})

t.test('a key that is withdrawn while a token waits for its turn vouches for it no more', async (t) => {
  for (const [set, said] of [
    [counting({ checked: 0 }, stranger), 'invalid_token'],
    [counting({ checked: 0 }), 'invalid_token'],
    [undefined, 'unavailable']
  ] as const) {
    const it = scene()
    const waiting = verdict(it, it.token())
    await new Promise((resolve) => process.nextTick(resolve))
    t.match(it, { asked: [ours.kid], checked: 0 })
    it.held = set
    t.equal(await waiting, said)
    t.equal(it.checked, 1)
  }
})

t.test('a signature that cannot be checked fails its own request alone', async (t) => {
  const it = scene()
  const [key, bad] = [it.held as VerificationKey, it.token()]
  const verifies = (token: string) => {
    if (token === bad) throw new Error('no room')
    return key.verifies(token)
  }
  it.held = { ...key, verifies }
  const said = await Promise.all([it.token(), bad, it.token()].map((token) => verdict(it, token)))
  t.same(said, ['accepted', 'Error: no room', 'accepted'])
})
