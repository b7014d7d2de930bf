import { createHash, randomUUID } from 'node:crypto'
import { type Members, RawJson } from '@latchkey/testing/tokens'
import type { Kind } from '@latchkey/tokens/claims'
import { accepted, type Deviation, forge, type Good, refused } from './deviation.ts'

/** What a claim is replaced by. A function makes it from the good token. */
type Values = Record<string, unknown | ((good: Good) => unknown)>

function each(claim: string, values: Values, as: typeof refused = refused): Deviation[] {
  return Object.entries(values).map(([name, value]) =>
    as(`${claim} ${name}`, (good) =>
      forge(good, { claims: { [claim]: typeof value === 'function' ? value(good) : value } })
    )
  )
}

// Of no claim's type. An empty array is a list of no roles, and so the one exception.
const NOTHING_OF_ITS_TYPE: Values = {
  missing: undefined,
  null: null,
  true: true,
  'an object': {},
  'an empty array': [],
  'an empty text': '',
  'a fraction': 1.5,
  'a negative number': -1,
  'a text with a number': '7'
}

// The contract's list and not the code's: a claim that is no longer asked for must show.
const CLAIMS: Record<Kind, readonly string[]> = {
  access: 'iss aud sub client_id iat exp jti token_use sid preferred_username roles epoch'.split(' '),
  refresh: 'iss aud sub iat exp jti token_use sid generation custom_key'.split(' ')
}

function ofNoType(kind: Kind): Deviation[] {
  return CLAIMS[kind].flatMap((claim) => {
    const values = { ...NOTHING_OF_ITS_TYPE }
    if (claim === 'roles') delete values['an empty array']
    if (claim === 'client_id' || claim === 'preferred_username') delete values['a text with a number']
    return each(claim, values)
  })
}

// What is no NumericDate although it is close to one (RFC 7519 §2); JSON.parse makes Infinity of 1e999.
const NO_TIMES: Values = {
  '1e999': new RawJson('1e999'),
  '-1e999': new RawJson('-1e999'),
  '2^53': 2 ** 53,
  '1e300': 1e300,
  'half a second more': ({ now }: Good) => now + 0.5,
  'as a text': ({ now }: Good) => String(now),
  'in an array': ({ now }: Good) => [now],
  'as a date': ({ now }: Good) => new Date(now * 1000).toISOString()
}

const times: Deviation[] = [
  ...['exp', 'iat', 'nbf'].flatMap((claim) => each(claim, NO_TIMES)),
  ...each('nbf', {
    null: null,
    true: true,
    false: false,
    'an object': {},
    'an empty array': [],
    'an empty text': '',
    '-1': -1
  }),
  ...['iat', 'nbf'].flatMap((claim) =>
    each(claim, {
      'later than the leeway': ({ now, leeway }: Good) => now + leeway + 60,
      'in a thousand years': ({ now }: Good) => now + 31_557_600_000,
      'in milliseconds': ({ now }: Good) => now * 1000
    })
  ),
  ...['iat', 'nbf'].flatMap((claim) =>
    each(
      claim,
      { 'within the leeway': ({ now, leeway }: Good) => now + leeway, now: ({ now }: Good) => now, 'of 1970': 0 },
      accepted
    )
  ),
  ...each(
    'exp',
    {
      'as long ago as the leeway': ({ now, leeway }: Good) => now - leeway,
      'a second longer ago than the leeway': ({ now, leeway }: Good) => now - leeway - 1,
      'an hour ago': ({ now }: Good) => now - 3600,
      'of 1970': 0
    },
    (name, make) => refused(name, make, { outcome: 'token_expired' })
  ),
  ...each(
    'exp',
    { 'in a second': ({ now }: Good) => now + 1, 'a second ago, within the leeway': ({ now }: Good) => now - 1 },
    accepted
  ),
  refused('expired and of another issuer', (good) =>
    forge(good, { claims: { exp: good.now - 3600, iss: 'https://x.example' } })
  ),
  refused('expired and of no session', (good) => forge(good, { claims: { exp: good.now - 3600, sid: undefined } })),
  refused('expired and signed by a stranger', (good) => {
    const { strangers } = good
    return forge({ ...good, key: strangers.rsa }, { claims: { exp: good.now - 3600 } })
  })
]

function otherName(name: string): Values {
  return {
    'of somebody else': 'https://other.example.com',
    'with a slash after it': `${name}/`,
    'with a space after it': `${name} `,
    'with a space before it': ` ${name}`,
    'with a NUL after it': `${name}\0`,
    'in upper case': name.toUpperCase(),
    'without its last character': name.slice(0, -1),
    'without its first character': name.slice(1),
    'with a suffix': `${name}.example.com`,
    'with a port': `${name}:443`,
    'with words around it': `other ${name} other`,
    'in a list with commas': `other,${name}`
  }
}

const asGood = (claim: string, change: (name: string) => Values): Deviation[] =>
  Object.keys(change('')).flatMap((name) =>
    each(claim, { [name]: ({ claims }: Good) => change(String(claims[claim]))[name] })
  )

const parties: Deviation[] = [
  ...asGood('iss', otherName),
  ...asGood('iss', (iss) => ({
    'in an array': [iss],
    'in an array with another': [iss, 'https://other.example.com'],
    'as an object': { iss }
  })),
  ...asGood('aud', otherName),
  ...asGood('aud', (aud) => ({
    'as an object': { aud },
    'as an object that looks like an array': { 0: aud, length: 1 },
    'an array without it': ['other', 'another'],
    'an array that holds a number too': [aud, 1],
    'an array that holds an empty text too': [aud, ''],
    'an array that holds null too': [null, aud],
    'an array in an array': [[aud]],
    'an array of parts of it': [aud.slice(0, -1), aud.slice(1)]
  })),
  ...['of it alone', 'of it and another', 'of another and it'].map((name, place) =>
    accepted(`aud an array ${name}`, (good) => {
      const { aud } = good.claims
      return forge(good, { claims: { aud: [[aud], [aud, 'other'], ['other', aud]][place] } })
    })
  )
]

const NO_UUIDS: Values = {
  'that is no UUID': 'ada',
  'of upper case': () => randomUUID().toUpperCase(),
  'of one capital': () => randomUUID().replace(/^./, 'A'),
  'of another capital': () => randomUUID().replace(/.$/, 'F'),
  'in braces': () => `{${randomUUID()}}`,
  'as a URN': () => `urn:uuid:${randomUUID()}`,
  'without hyphens': () => randomUUID().replaceAll('-', ''),
  'one character too long': () => `${randomUUID()}0`,
  'with a line break after it': () => `${randomUUID()}\n`,
  'with a quote after it': () => `${randomUUID()}'`,
  'of 4 kB': 'a'.repeat(4096),
  'of SQL': "' OR '1'='1"
}

const KIND_TEXTS = ['access', 'refresh', 'reset', 'verify', 'id', 'Access', 'REFRESH', 'access ', 'any']

function ofBothKinds(kind: Kind): Deviation[] {
  return [
    ...each('sub', NO_UUIDS),
    ...each('sid', NO_UUIDS),
    ...KIND_TEXTS.filter((text) => text !== kind).map((text) =>
      refused(`token_use ${JSON.stringify(text)}`, (good) => forge(good, { claims: { token_use: text } }))
    ),
    ...each('sub', { 'of somebody who is not there': () => randomUUID() }, (name, make) =>
      accepted(name, make, { atIssuer: 'invalid_token' })
    ),
    accepted('claims that nobody knows', (good) =>
      forge(good, { claims: { admin: true, scope: 'everything', user_id: 1, toString: 'x', '': null } })
    ),
    accepted('a claim __proto__', (good) =>
      forge(good, { claims: JSON.stringify(good.claims).replace('{', '{"__proto__":{"admin":true},') })
    ),
    refused('all claims in __proto__ alone', (good) =>
      forge(good, { claims: `{"__proto__":${JSON.stringify(good.claims)}}` })
    ),
    accepted('claims in another order', (good) =>
      forge({ ...good, claims: Object.fromEntries(Object.entries(good.claims).reverse()) }, {})
    ),
    refused('the claims in a member of their own', (good) =>
      forge(good, { claims: JSON.stringify({ claims: good.claims }) })
    ),
    refused('no claims', (good) => forge(good, { claims: '{}' }))
  ]
}

const NO_COUNTS: Values = {
  '1e999': new RawJson('1e999'),
  '2^53': 2 ** 53,
  '-1': -1,
  '0.5': 0.5,
  'as a text': '0',
  'in an array': [0],
  false: false
}

// Hostile names are the caller's own business as long as nothing interprets them (row 24).
const HOSTILE: Values = {
  'with markup': '<script>alert(1)</script>',
  'with line breaks and a log line': 'x\r\n{"level":"fatal","msg":"forged"}',
  'with NUL and escape sequences': '\0\u001b[2J\u001b]0;x\u0007',
  'that is half a surrogate pair': '\ud83d',
  'of right-to-left overrides': '\u202e\u2066',
  'that is __proto__': '__proto__'
}

const access: Deviation[] = [
  ...each('jti', NO_UUIDS),
  ...each('epoch', NO_COUNTS),
  ...each('roles', {
    'of seventeen': Array.from({ length: 17 }, (_, i) => `role${i}`),
    'with one of 33 characters': ['user', 'r'.repeat(33)],
    'with an empty one': ['user', ''],
    'with a number': ['user', 1],
    'with null': [null],
    'in an array in an array': [['user']],
    'as a text': 'user admin',
    'as an object': { 0: 'admin', length: 1 }
  }),
  ...each(
    'roles',
    { 'of none': [], 'of sixteen with 32 characters each': Array(16).fill('r'.repeat(32)), 'of admin': ['admin'] },
    accepted
  ),
  ...each('client_id', { 'of another client': 'another-client' }, accepted),
  ...each('jti', { 'of another token': () => randomUUID() }, accepted),
  ...each('preferred_username', HOSTILE, accepted),
  ...['a session that is not there', 'the next epoch'].map((name, place) =>
    accepted(`of ${name}`, (good) => forge(good, { claims: place === 0 ? { sid: randomUUID() } : { epoch: 1 } }), {
      atIssuer: 'invalid_token'
    })
  ),
  refused('claims of a refresh token', (good) => forge(good, { claims: refreshed(good) })),
  refused('claims of both kinds, but used for refresh', (good) =>
    forge(good, { claims: { ...refreshed(good), ...good.claims, token_use: 'refresh' } })
  )
]

function refreshed({ claims: { iss, sub, sid, iat, exp } }: Good): Members {
  const custom_key = createHash('sha256').update('x').digest('hex')
  const left = { client_id: undefined, preferred_username: undefined, roles: undefined, epoch: undefined }
  return {
    ...left,
    iss,
    aud: iss,
    sub,
    sid,
    iat,
    exp,
    token_use: 'refresh',
    jti: `${sid}.0`,
    generation: 0,
    custom_key
  }
}

const customKey =
  (change: (key: string) => unknown) =>
  ({ claims }: Good) =>
    change(String(claims['custom_key']))

const refresh: Deviation[] = [
  ...each('generation', NO_COUNTS),
  ...each('custom_key', {
    'of 63 characters': customKey((key) => key.slice(1)),
    'of 65 characters': customKey((key) => `${key}0`),
    'of 128 characters': customKey((key) => key + key),
    'in upper case': customKey((key) => `${key.slice(1)}a`.toUpperCase()),
    'with a character that is no hex': customKey((key) => `${key.slice(1)}g`),
    'with a line break after it': customKey((key) => `${key}\n`),
    'in an array': customKey((key) => [key]),
    'as an object': customKey((key) => ({ key })),
    'in base64url': customKey((key) => Buffer.from(key, 'hex').toString('base64url'))
  }),
  ...each(
    'custom_key',
    {
      'of nobody': '0'.repeat(64),
      'of another token hash': () => createHash('sha256').update(randomUUID()).digest('hex'),
      'with its last character changed': customKey((key) => key.slice(0, -1) + (key.endsWith('0') ? '1' : '0')),
      reversed: customKey((key) => [...key].reverse().join(''))
    },
    (name, make) => accepted(name, make, { atIssuer: 'invalid_token' })
  ),
  ...each('jti', {
    'of another generation': ({ claims }: Good) => `${claims['sid']}.1`,
    'of another session': () => `${randomUUID()}.0`,
    'that is the sid': ({ claims }: Good) => claims['sid'],
    'with a leading zero': ({ claims }: Good) => `${claims['sid']}.00`,
    'with a fraction': ({ claims }: Good) => `${claims['sid']}.0.0`,
    'with a space after it': ({ claims }: Good) => `${claims['sid']}.0 `,
    'in upper case': ({ claims }: Good) => `${claims['sid']}.0`.toUpperCase(),
    'that is any UUID': () => randomUUID()
  }),
  refused('a generation that jti does not say', (good) => forge(good, { claims: { generation: 1 } })),
  accepted('of a session that is not there', (good) => forge(good, { claims: session(randomUUID()) }), {
    atIssuer: 'invalid_token'
  }),
  refused('for the audience of access tokens', (good) => forge(good, { claims: { aud: 'latchkey' } }))
]

function session(sid: string): Members {
  return { sid, jti: `${sid}.0` }
}

const OF_ONE_KIND: Record<Kind, Deviation[]> = { access, refresh }

/** Claims other than ours, under good signatures (rows 8, 9, 11 to 16, 20, 24, 25, 68). */
export function claims(kind: Kind): readonly Deviation[] {
  return [...ofNoType(kind), ...times, ...parties, ...ofBothKinds(kind), ...OF_ONE_KIND[kind]]
}
