import { generateKeyPairSync, sign } from 'node:crypto'
import t from 'tap'
import { accessClaims, accessToken, compact, makeKey, type Signer } from '../../testing/src/tokens.ts'
import { CLOSE_PRIMES_MODULUS, ROCA_MODULUS, ROCA_MODULUS_4096 } from '../../testing/src/weak-keys.ts'
import { readKeySet, type VerificationKey } from '../src/jwk.ts'

const [ours, next, short, shorter] = await Promise.all([makeKey(), makeKey(), makeKey(2047), makeKey(1024)])
const { jwk } = ours
const none: ReadonlyMap<string, VerificationKey> = new Map()

/** The kids that were taken and the reasons for those that were not. */
function taken(...keys: unknown[]): { kids: string[] | undefined; skipped: string[] } {
  const { kids, skipped } = read({ keys })
  return { kids, skipped }
}

function read(set: unknown, held = none): { kids: string[] | undefined; skipped: string[]; keys: typeof none } {
  const skipped: string[] = []
  const text = typeof set === 'string' ? set : JSON.stringify(set)
  const keys = readKeySet(text, held, (reason) => skipped.push(reason))
  return { kids: keys && [...keys.keys()], skipped, keys: keys ?? none }
}

t.test('a good key is taken, with what a set may say and need not', async (t) => {
  const ways: Record<string, object> = {
    'as Latchkey publishes it': jwk,
    'with its four members alone': { kty: jwk.kty, n: jwk.n, e: jwk.e, kid: jwk.kid },
    'with operations': { ...jwk, key_ops: ['verify'] },
    'with members that nobody knows': { ...jwk, x: 1, x5t: 'abc', x5c: ['MII'], iat: 5 }
  }
  for (const [name, key] of Object.entries(ways)) t.same(taken(key), { kids: [jwk.kid], skipped: [] }, name)
})

const changed = (n: string, change: (bytes: Buffer) => void) => {
  const bytes = Buffer.from(n, 'base64url')
  change(bytes)
  return bytes.toString('base64url')
}
const { d, p } = ours.privateKey.export({ format: 'jwk' })
const exponent3 = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }).publicKey.export({
  format: 'jwk'
})

const ODD_KEYS: Record<string, { key: object; why: RegExp }> = {
  'of 1024 bits': { key: { n: shorter.jwk.n }, why: /1024 bits; 2048 is the least/ },
  'of 2047 bits': { key: { n: short.jwk.n }, why: /2047 bits; 2048 is the least/ },
  'of 2047 bits in 256 octets': {
    key: { n: changed(jwk.n, (bytes) => bytes.writeUInt8(0x7f)) },
    why: /2047 bits; 2048 is the least/
  },
  'of 16,392 bits': {
    key: { n: Buffer.alloc(2049, 0xff).toString('base64url') },
    why: /16392 bits; 16384 is the most/
  },
  'of the exponent 3': { key: { n: exponent3.n, e: exponent3.e }, why: /exponent is not 65537/ },
  'of the exponent 1': { key: { e: 'AQ' }, why: /exponent is not 65537/ },
  'of the exponent 65537 with a zero before it': { key: { e: 'AAEAAQ' }, why: /exponent is not 65537/ },
  'of the exponent 65537 as a number': { key: { e: 65537 }, why: /exponent is not 65537/ },
  'without an exponent': { key: { e: undefined }, why: /exponent is not 65537/ },
  'with an even modulus': {
    key: { n: changed(jwk.n, (bytes) => bytes.writeUInt8(bytes.readUInt8(255) & 0xfe, 255)) },
    why: /modulus is even/
  },
  'of the ROCA family': { key: { n: ROCA_MODULUS }, why: /ROCA family \(CVE-2017-15361\)/ },
  'of the ROCA family, with 4096 bits': { key: { n: ROCA_MODULUS_4096 }, why: /ROCA family/ },
  'with primes that are close to each other': { key: { n: CLOSE_PRIMES_MODULUS }, why: /CVE-2022-26320/ },
  'with a zero before the modulus': { key: { n: `AA${jwk.n.slice(2)}` }, why: /modulus is not written canonically/ },
  'with a padded modulus': { key: { n: `${jwk.n}==` }, why: /modulus is not written canonically/ },
  'with a modulus in plain base64': {
    key: { n: Buffer.from(jwk.n, 'base64url').toString('base64') },
    why: /modulus is not written canonically/
  },
  'with an empty modulus': { key: { n: '' }, why: /modulus is not written canonically|bits/ },
  'without a modulus': { key: { n: undefined }, why: /modulus is not written canonically|bits/ },
  'with a modulus that is a number': { key: { n: 5 }, why: /modulus is not written canonically|bits/ },
  'with private members': { key: { d, p }, why: /private members/ },
  'with one private member': { key: { p }, why: /private members/ },
  'with a symmetric member': { key: { k: 'AAAA' }, why: /private members/ },
  'for encryption': { key: { use: 'enc' }, why: /not for signatures/ },
  'of a use that is no text': { key: { use: ['sig'] }, why: /not for signatures/ },
  'for RS384': { key: { alg: 'RS384' }, why: /not for RS256/ },
  'for PS256': { key: { alg: 'PS256' }, why: /not for RS256/ },
  'for HS256': { key: { alg: 'HS256' }, why: /not for RS256/ },
  'of an alg that is null': { key: { alg: null }, why: /not for RS256/ },
  'for signing': { key: { key_ops: ['sign'] }, why: /not for verifying/ },
  'for nothing': { key: { key_ops: [] }, why: /not for verifying/ },
  'of operations that are no list': { key: { key_ops: 'sign' }, why: /not for verifying/ },
  'without a kid': { key: { kid: undefined }, why: /kid is not 1 to 128/ },
  'with an empty kid': { key: { kid: '' }, why: /kid is not 1 to 128/ },
  'with a kid that is a number': { key: { kid: 1 }, why: /kid is not 1 to 128/ },
  'with a kid that is a list': { key: { kid: ['a'] }, why: /kid is not 1 to 128/ },
  'with a kid of 129 characters': { key: { kid: 'k'.repeat(129) }, why: /kid is not 1 to 128/ },
  'with a kid that is a path': { key: { kid: '../k' }, why: /kid is not 1 to 128/ }
}

t.test('a key that is weak or odd is skipped, with the reason, and takes no other along', async (t) => {
  for (const [name, { key, why }] of Object.entries(ODD_KEYS)) {
    const { kids, skipped } = read({ keys: [{ ...next.jwk, ...key }, jwk] })
    t.same(kids, [jwk.kid], `a key ${name}`)
    t.match(skipped, [why], `a key ${name}`)
    t.equal(skipped.length, 1, `a key ${name}`)
  }
})

t.test('the reason names the key by its kid and shows nothing else of it', async (t) => {
  const { skipped } = read({
    keys: [
      { ...jwk, d },
      { ...jwk, kid: 'k'.repeat(5000), e: 'AQ' }
    ]
  })
  t.match(skipped, [`key "${jwk.kid}" of the set is skipped: it holds private members`, /^key "k{128}" of the set/])
  t.notMatch(skipped.join(), String(d))
})

t.test('what a key calls itself moves no cursor, ends no line and stops nobody from reading the others', async (t) => {
  const odd = ['\u009b2J\u0085', '\u202eabc\u2028', '\ud800', '\x7f"\\', 'deep', ['a'], null, 5]
  const set = JSON.stringify({ keys: [...odd.map((kid) => ({ ...next.jwk, kid })), jwk] })
  const { kids, skipped } = read(set.replace('"deep"', '['.repeat(50_000) + ']'.repeat(50_000)))
  t.same(kids, [jwk.kid])
  const names = skipped.map((reason) => /^key (.*) of the set is skipped: its kid is not/.exec(reason)?.[1])
  t.same(names, [
    '"\\u009b2J\\u0085"',
    '"\\u202eabc\\u2028"',
    '"\\ud800"',
    '"\\u007f\\"\\\\"',
    ...Array(4).fill('without a kid that is a text')
  ])
})

t.test('of a set full of keys that are none, eight are told and the others counted', async (t) => {
  const { kids, skipped } = taken(...Array(10_000).fill({ kty: 'RSA' }), jwk)
  t.same(kids, [jwk.kid])
  t.equal(skipped.length, 9)
  t.equal(skipped.at(-1), '9992 more keys of the set are skipped')
})

t.test('of two keys with one kid the first counts, so that none can be put over it', async (t) => {
  const { keys, skipped } = read({ keys: [jwk, { ...next.jwk, kid: jwk.kid }] })
  t.equal(keys.get(jwk.kid)?.jwk.n, jwk.n)
  t.match(skipped, [/stands twice/])
})

t.test('keys of kinds that we do not know are passed over in silence', async (t) => {
  const { publicKey } = generateKeyPairSync('ed25519')
  const others = [
    publicKey.export({ format: 'jwk' }),
    { kty: 'X', kid: 'x' },
    { kty: 'oct', k: 'AAAA' },
    {},
    [],
    null,
    'key',
    1
  ]
  t.same(taken(...others, jwk), { kids: [jwk.kid], skipped: [] })
})

t.test('a set without a usable key is an empty set, and what is no set is none', async (t) => {
  for (const set of [{ keys: [] }, { keys: [{ kty: 'EC' }] }, { keys: [{ ...jwk, e: 'AQ' }] }])
    t.same(read(set).kids, [])
  for (const set of [
    '',
    'no JSON',
    '<html></html>',
    'null',
    '[]',
    '1',
    '{}',
    { keys: null },
    { keys: {} },
    [jwk],
    jwk
  ]) {
    t.equal(read(set).kids, undefined, JSON.stringify(set).slice(0, 20))
  }
})

t.test('a key that is still listed stays the same object, and one that changed under its kid does not', async (t) => {
  const { keys: held } = read({ keys: [jwk, next.jwk] })
  const { keys } = read(
    {
      keys: [
        { ...jwk, x: 'new' },
        { ...ours.jwk, kid: next.kid }
      ]
    },
    held
  )
  t.equal(keys.get(jwk.kid), held.get(jwk.kid))
  t.not(keys.get(next.kid), held.get(next.kid))
})

t.test('a key verifies what its private half signed and nothing else', async (t) => {
  const { keys } = read({ keys: [jwk, next.jwk] })
  const claims = accessClaims('https://auth.example.com', 'latchkey', 0)
  const token = accessToken(ours, claims)
  t.equal(keys.get(jwk.kid)?.verifies(token), true)
  t.equal(keys.get(next.kid)?.verifies(token), false)
  t.equal(keys.get(jwk.kid)?.verifies(`${token}x`), false)
  t.equal(keys.get(jwk.kid)?.verifies('no token'), false)
  const sha512: Signer = (input) => sign('sha512', input, ours.privateKey)
  t.equal(keys.get(jwk.kid)?.verifies(compact({ alg: 'RS512' }, claims, sha512)), false, 'one key, one algorithm')
})
