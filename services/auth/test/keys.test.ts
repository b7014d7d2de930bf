import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { ROCA_PRIVATE_KEY } from '@latchkey/testing/weak-keys'
import t, { type Test } from 'tap'
import { loadKeys } from '../src/keys/folder.ts'
import { rsaPem } from './keys.ts'

const [A, B, C, D, E] = await Promise.all([rsaPem(), rsaPem(), rsaPem(), rsaPem(), rsaPem()])

/** A folder with these files, each private to us unless it says otherwise. */
function folder(t: Test, files: Record<string, string>): string {
  const dir = t.testdir({ access: {}, refresh: {} })
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(dir, name)), { recursive: true })
    writeFileSync(path.join(dir, name), content, { mode: 0o600 })
  }
  return dir
}

function load(dir: string) {
  const warnings: string[] = []
  return { warnings, loaded: loadKeys(dir, (message) => warnings.push(message)) }
}

const GOOD = { 'access/current.private.pem': A, 'refresh/current.private.pem': B }

t.test('the keys of both kinds are read, and known by their thumbprints', async (t) => {
  const { warnings, loaded } = load(folder(t, { ...GOOD, 'access/next.private.pem': C, 'refresh/next.private.pem': D }))
  const keys = await loaded
  t.strictSame(warnings, [])
  for (const [kind, current, next] of [
    ['access', A, C],
    ['refresh', B, D]
  ] as const) {
    const { current: signing, accepted } = keys[kind]
    const { n, e } = createPublicKey(current).export({ format: 'jwk' })
    const kid = createHash('sha256')
      .update(JSON.stringify({ e, kty: 'RSA', n }))
      .digest('base64url')
    t.match(signing, { kid, slot: 'current', publicPem: /^-----BEGIN PUBLIC KEY-----/ })
    t.strictSame(signing.jwk, { kty: 'RSA', n, e, kid, use: 'sig', alg: 'RS256' })
    t.strictSame(
      [...accepted.values()].map(({ slot }) => slot),
      ['current', 'next']
    )
    t.equal(accepted.get(kid), signing)
    t.equal([...accepted.values()].at(-1)?.jwk.n, createPublicKey(next).export({ format: 'jwk' }).n)
  }
})

t.test('keys that were current before are accepted, any number of them', async (t) => {
  const previous = { 'access/previous-20260101T000000Z.private.pem': C, 'access/previous-2026-02-01.private.pem': D }
  const { access } = await load(folder(t, { ...GOOD, ...previous })).loaded
  t.strictSame([...access.accepted.values()].map(({ slot }) => slot).sort(), [
    'current',
    'previous-2026-02-01',
    'previous-20260101T000000Z'
  ])
  t.equal(access.current.slot, 'current')
})

t.test('PKCS#1 is read as well as PKCS#8, and what is no key of a slot is passed over', async (t) => {
  const pkcs1 = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'pem' })
  const others = [
    'access/current.public.pem',
    'access/.half.x',
    'access/old.private.pem',
    'access/README.md',
    'access/revoked/x'
  ]
  const files = {
    ...GOOD,
    'access/current.private.pem': String(pkcs1),
    ...Object.fromEntries(others.map((name) => [name, 'x']))
  }
  const { access } = await load(folder(t, files)).loaded
  t.equal(access.accepted.size, 1)
})

const pem = (key: { export(options: object): unknown }, more = {}) =>
  String(key.export({ type: 'pkcs8', format: 'pem', ...more }))
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 })
const [weak, odd] = await Promise.all([rsaPem(1024), rsaPem(2048, 3)])

const REFUSED: Record<string, { files: Record<string, string>; at: string; says: RegExp }> = {
  'a key of 1024 bits': {
    files: { ...GOOD, 'access/current.private.pem': weak },
    at: 'access/current.private.pem',
    says: /has 1024 bits; 2048 is the least/
  },
  'a weak key in another slot': {
    files: { ...GOOD, 'refresh/next.private.pem': weak },
    at: 'refresh/next.private.pem',
    says: /has 1024 bits/
  },
  'the exponent 3': {
    files: { ...GOOD, 'refresh/current.private.pem': odd },
    at: 'refresh/current.private.pem',
    says: /has the public exponent 3, not 65537/
  },
  'a key whose private half can be computed': {
    files: { ...GOOD, 'access/current.private.pem': ROCA_PRIVATE_KEY },
    at: 'access/current.private.pem',
    says: /is no safe key: it is of the ROCA family \(CVE-2017-15361\)/
  },
  'an elliptic curve': {
    files: { ...GOOD, 'access/current.private.pem': pem(ec.privateKey) },
    at: 'access/current.private.pem',
    says: /is a key of type ec, not RSA/
  },
  'RSA for another scheme': {
    files: { ...GOOD, 'access/current.private.pem': pem(pss.privateKey) },
    at: 'access/current.private.pem',
    says: /is a key of type rsa-pss, not RSA/
  },
  'a public key': {
    files: { ...GOOD, 'access/current.private.pem': pem(createPublicKey(A), { type: 'spki' }) },
    at: 'access/current.private.pem',
    says: /is no private key in PEM/
  },
  'a key with a passphrase': {
    files: {
      ...GOOD,
      'access/current.private.pem': pem(ec.privateKey, { cipher: 'aes-256-cbc', passphrase: 'x' })
    },
    at: 'access/current.private.pem',
    says: /is no private key in PEM, or has a passphrase/
  },
  'a file that is no key': {
    files: { ...GOOD, 'access/current.private.pem': 'not a key' },
    at: 'access/current.private.pem',
    says: /is no private key in PEM/
  },
  'an empty file': {
    files: { ...GOOD, 'access/current.private.pem': '' },
    at: 'access/current.private.pem',
    says: /is no private key in PEM/
  },
  'a broken key behind a good one': {
    files: { ...GOOD, 'access/previous-1.private.pem': A.slice(0, 200) },
    at: 'access/previous-1.private.pem',
    says: /is no private key in PEM/
  },
  'no current key': {
    files: { 'access/next.private.pem': C, 'refresh/current.private.pem': B },
    at: 'access/current.private.pem',
    says: /is missing. scripts\/generate-keys.sh makes keys/
  },
  'one key for both kinds': {
    files: { ...GOOD, 'refresh/next.private.pem': A },
    at: 'refresh/next.private.pem',
    says: /is an access key too/
  },
  'one key in two slots': {
    files: { ...GOOD, 'access/next.private.pem': A },
    at: 'access/next.private.pem',
    says: /is the same key as current.private.pem/
  }
}

for (const [name, { files, at, says }] of Object.entries(REFUSED)) {
  t.test(`${name} is refused, by its path`, async (t) => {
    const dir = folder(t, files)
    const error: Error = await load(dir).loaded.then(
      () => new Error('was accepted'),
      (error) => error
    )
    t.equal(error.name, 'KeyFileError')
    t.equal(error.message.slice(0, error.message.indexOf(': ')), path.join(dir, at))
    t.match(error.message, says)
    t.notMatch(error.message, /BEGIN|MII/, 'and nothing of the key is told')
  })
}

t.test('a folder or a file that cannot be read is said to be', async (t) => {
  const dir = folder(t, { 'access/current.private.pem': E })
  await t.rejects(load(path.join(dir, 'none')).loaded, {
    message: /none\/access: cannot be read \(ENOENT\). scripts\/generate-keys.sh makes/
  })
  await t.rejects(load(dir).loaded, { message: /refresh\/current.private.pem: is missing/ })
  mkdirSync(path.join(dir, 'refresh/current.private.pem'))
  await t.rejects(load(dir).loaded, { message: /refresh\/current.private.pem: cannot be read \(no regular file\)/ })

  const dangling = folder(t, GOOD)
  symlinkSync('nowhere', path.join(dangling, 'access/next.private.pem'))
  await t.rejects(load(dangling).loaded, { message: /access\/next.private.pem: cannot be read \(ENOENT\)/ })
})

t.test('a file that others may read is told of', async (t) => {
  for (const mode of [0o604, 0o644, 0o666, 0o660]) {
    const dir = folder(t, GOOD)
    const file = path.join(dir, 'refresh/current.private.pem')
    chmodSync(file, mode)
    const { warnings, loaded } = load(dir)
    await loaded
    t.strictSame(warnings, [`${file}: others may read this private key. Run chmod 600 on it.`], mode.toString(8))
  }
})
