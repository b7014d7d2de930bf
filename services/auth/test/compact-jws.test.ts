import { generateKeyPairSync } from 'node:crypto'
import { CompactSign, compactVerify, type JWTPayload, SignJWT } from 'jose'
import t from 'tap'
import { signCompact } from '../src/keys/compact-jws.ts'
import { testKeys } from './keys.ts'

const { access, refresh } = await testKeys()

/** Names and texts of many kinds, and what JSON has to escape. */
const CLAIMS: Readonly<Record<string, object>> = {
  'an access token': { iss: 'https://auth.example.com', sub: 'ada', roles: ['user', 'admin'], epoch: 0, exp: 1.5 },
  'letters beyond ASCII': { preferred_username: 'Ådå Løvelåce 李 🙂', ключ: 'значение' },
  'what JSON escapes': { text: '"\\/\b\f\n\r\t\u0000\u007f\u2028\u2029', html: '</script>' },
  'a lone surrogate': { text: 'a\ud800b', low: '\udc00' },
  'a member without a value': { aud: undefined, sub: 'ada', nothing: null },
  nothing: {},
  'a long text': { text: 'Ünïcode '.repeat(2_000) }
}

for (const [what, claims] of Object.entries(CLAIMS)) {
  t.test(`the text is byte for byte that of jose: ${what}`, async (t) => {
    for (const [typ, key] of [
      ['at+jwt', access.current],
      ['refresh+jwt', refresh.current]
    ] as const) {
      const header = { alg: 'RS256', typ, kid: key.kid }
      const ours = await signCompact(key, typ, claims)
      const payload = new TextEncoder().encode(JSON.stringify(claims))
      t.equal(ours, await new CompactSign(payload).setProtectedHeader(header).sign(key.privateKey))
      t.equal(ours, await new SignJWT(claims as JWTPayload).setProtectedHeader(header).sign(key.privateKey))
      const { protectedHeader, payload: read } = await compactVerify(ours, key.jwk)
      t.strictSame(protectedHeader, header)
      t.strictSame(Buffer.from(read), Buffer.from(payload))
    }
  })
}

t.test('texts that are signed at once do not mix', async (t) => {
  const { kid, privateKey } = access.current
  const all = Array.from({ length: 64 }, (_, n) => ({ n, text: `${n}`.repeat(n) }))
  const signed = await Promise.all(all.map((claims) => signCompact({ kid, privateKey }, 'at+jwt', claims)))
  for (const [i, text] of signed.entries()) {
    const { payload } = await compactVerify(text, access.current.jwk)
    t.strictSame(JSON.parse(Buffer.from(payload).toString()), all[i])
  }
})

t.test('a key that cannot sign with RS256 is an error, not another signature', async (t) => {
  const { kid } = access.current
  const { privateKey } = generateKeyPairSync('ed25519')
  await t.rejects(signCompact({ kid, privateKey }, 'at+jwt', {}))
  await t.rejects(signCompact({ kid, privateKey: {} as typeof privateKey }, 'at+jwt', {}), {
    code: 'ERR_INVALID_ARG_TYPE'
  })
})

t.test('the event loop goes on while a signature is made', async (t) => {
  const order: string[] = []
  const signed = signCompact(access.current, 'at+jwt', {}).then(() => order.push('signed'))
  order.push('called')
  await Promise.resolve()
  order.push('a turn')
  await signed
  t.strictSame(order, ['called', 'a turn', 'signed'])
})
