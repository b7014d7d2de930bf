import { Problem } from '@latchkey/problems/problem'
import { decodeUnverified } from '@latchkey/tokens/compact'
import fc from 'fast-check'
import t from 'tap'

const encode = (content: string | Buffer | object) =>
  Buffer.from(typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content)).toString(
    'base64url'
  )

const HEADER = encode({ alg: 'RS256' })
const PAYLOAD = encode({ sub: 'ada' })

function refusal(token: string): unknown {
  try {
    return decodeUnverified(token)
  } catch (error) {
    return error instanceof Problem ? error.code : error
  }
}

t.test('a token is taken apart into the objects of its header and its payload', async (t) => {
  const claims = { sub: 'Zoë', roles: ['user', '\u{1F511}'], nested: { deep: [null, 1.5, false] } }
  t.same(decodeUnverified(`${HEADER}.${encode(claims)}.c2ln`), { header: { alg: 'RS256' }, claims })
})

t.test('a name that stands twice has its last value', async (t) => {
  t.same(decodeUnverified(`${encode('{"alg":"none","alg":"RS256"}')}.${encode('{"a":1,"a":2}')}.c2ln`), {
    header: { alg: 'RS256' },
    claims: { a: 2 }
  })
})

t.test('a member __proto__ is a member and no prototype', async (t) => {
  const { header, claims } = decodeUnverified(
    `${encode('{"__proto__":{"alg":"RS256"}}')}.${encode('{"__proto__":{"a":1}}')}.c2ln`
  )
  t.equal(header['alg'], undefined)
  t.equal(claims['a'], undefined)
  t.equal(Object.getPrototypeOf(claims), Object.prototype)
})

t.test('8,192 characters are read and one more is not', async (t) => {
  // Chosen so that neither length is one that no bytes have.
  const payload = encode({ sub: 'adam' })
  const signature = (length: number) => {
    const input = `${HEADER}.${payload}.`
    return input + 'A'.repeat(length - input.length)
  }
  t.match(refusal(signature(8192)), { header: { alg: 'RS256' } })
  t.equal(refusal(signature(8193)), 'invalid_token')
})

const NO_TOKENS: Record<string, string> = {
  'the empty text': '',
  'one word': 'token',
  'two segments': `${HEADER}.${PAYLOAD}`,
  'two segments and a dot': `${HEADER}.${PAYLOAD}.`,
  'four segments': `${HEADER}.${PAYLOAD}.c2ln.c2ln`,
  'an empty header': `.${PAYLOAD}.c2ln`,
  'an empty payload': `${HEADER}..c2ln`,
  'a line break at the end': `${HEADER}.${PAYLOAD}.c2ln\n`,
  'padding in the header': `${encode('{}')}=.${PAYLOAD}.c2ln`,
  'padding in the signature': `${HEADER}.${PAYLOAD}.c2lnbg==`,
  'a character of plain base64': `${HEADER}.${PAYLOAD}.c2+n`,
  'unused bits in the header': `${encode('{}').slice(0, -1)}1.${PAYLOAD}.c2ln`,
  'unused bits in the payload': `${HEADER}.${encode('{}').slice(0, -1)}1.c2ln`,
  'unused bits in the signature': `${HEADER}.${PAYLOAD}.c2lnbh`,
  'a length that no bytes have': `${HEADER}.${PAYLOAD}.c2lnb`,
  'a payload that is no object': `${HEADER}.${encode('[1]')}.c2ln`,
  'a payload that is null': `${HEADER}.${encode('null')}.c2ln`,
  'a header that is no object': `${encode('"RS256"')}.${PAYLOAD}.c2ln`,
  'a payload that is no JSON': `${HEADER}.${encode('{sub:1}')}.c2ln`,
  'a byte order mark': `${HEADER}.${encode('\ufeff{}')}.c2ln`,
  'bytes that are no UTF-8': `${HEADER}.${encode(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))}.c2ln`
}

t.test('what is no JWS in canonical compact form is an invalid token', async (t) => {
  t.match(refusal(`${encode('{}')}.${encode('{}')}.c2ln`), { header: {}, claims: {} }, 'the text that the others spoil')
  for (const [name, token] of Object.entries(NO_TOKENS)) t.equal(refusal(token), 'invalid_token', name)
})

t.test('whatever the text, it is read or an invalid token, and no two texts are read as the same bytes', async () => {
  const part = fc.oneof(
    fc.json().map(encode),
    fc.dictionary(fc.string(), fc.jsonValue()).map(encode),
    fc.string({ unit: fc.constantFrom(...'ABab01-_='), maxLength: 12 })
  )
  const texts = fc.oneof(
    fc.string(),
    fc.tuple(part, part, part).map((parts) => parts.join('.'))
  )
  fc.assert(
    fc.property(texts, (token) => {
      const result = refusal(token)
      if (result === 'invalid_token') return true
      const again = token.split('.').map((segment) => Buffer.from(segment, 'base64url').toString('base64url'))
      return !(result instanceof Error) && again.join('.') === token
    }),
    { numRuns: 2000 }
  )
})
