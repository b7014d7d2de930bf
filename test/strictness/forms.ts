import { base64url, compact, rs256, signText } from '@latchkey/testing/tokens'
import { accepted, type Deviation, forge, forged, type Good, refused, segments } from './deviation.ts'

type Segment = 'header' | 'payload' | 'signature'
const SEGMENTS: readonly Segment[] = ['header', 'payload', 'signature']

// The signature is made over the text as it then stands, so that nothing but the form is wrong.
function change(good: Good, segment: Segment, to: (text: string) => string): string {
  const { header, payload, signature } = segments(good)
  if (segment === 'signature') return `${header}.${payload}.${to(signature)}`
  const input = segment === 'header' ? `${to(header)}.${payload}` : `${header}.${to(payload)}`
  return signText(input, rs256(good.key))
}

// Not of base64url, though Buffer and atob pass over most of them. Texts are what arrives, one character a byte.
const STRANGE: Record<string, string> = {
  padding: '=',
  'two paddings': '==',
  'a plus': '+',
  'a slash': '/',
  'an exclamation mark': '!',
  'a percent sign': '%',
  'a comma': ',',
  'a colon': ':',
  'a semicolon': ';',
  'a quote': '"',
  'an asterisk': '*',
  'a tilde': '~',
  'a backslash': '\\',
  'a brace': '{',
  'a non-breaking space': '\xa0',
  'a next line': '\x85',
  'a byte that is no UTF-8': '\xff',
  'a byte order mark': '\xef\xbb\xbf',
  'a zero width space': '\xe2\x80\x8b',
  'a fullwidth letter': '\xef\xbc\xa1'
}

const CONTROL: Record<string, string> = {
  'a line feed': '\n',
  'a carriage return': '\r',
  'a NUL': '\0',
  'a vertical tab': '\v',
  'a form feed': '\f',
  'a backspace': '\b',
  'a DEL': '\x7f'
}

const BLANK: Record<string, string> = { 'a space': ' ', 'a tab': '\t' }

function within(characters: Record<string, string>, special: Partial<Deviation> = {}): Deviation[] {
  return SEGMENTS.flatMap((segment) =>
    Object.entries(characters).map(([name, text]) =>
      refused(
        `${name} in the ${segment}`,
        (good) => change(good, segment, (s) => s.slice(0, 9) + text + s.slice(9)),
        special
      )
    )
  )
}

function behind(characters: Record<string, string>, special: Partial<Deviation> = {}): Deviation[] {
  return SEGMENTS.flatMap((segment) =>
    Object.entries(characters).map(([name, text]) =>
      refused(`${name} after the ${segment}`, (good) => change(good, segment, (s) => s + text), special)
    )
  )
}

const alphabet: Deviation[] = [
  ...within(STRANGE),
  ...behind(STRANGE),
  ...within(CONTROL, { inHeader: 'no HTTP' }),
  ...within({ 'a line break': '\r\n' }, { inHeader: 'no HTTP' }),
  ...behind(CONTROL, { inHeader: 'no HTTP' }),
  ...within(BLANK, { inHeader: 'invalid_request' }),
  ...behind(BLANK, { inHeader: 'invalid_request' }).map((blank) =>
    blank.name.endsWith('after the signature') ? { ...blank, inHeader: 'accepted' as const } : blank
  ),
  ...Object.entries(BLANK).map(([name, text]) =>
    refused(`${name} before the token`, (good) => text + forge(good, {}), { inHeader: 'accepted' })
  ),
  refused('the plain base64 alphabet with padding', (good) =>
    forge(good, {})
      .split('.')
      .map((segment) => Buffer.from(segment, 'base64url').toString('base64'))
      .join('.')
  ),
  refused('hex instead of base64url', (good) =>
    forge(good, {})
      .split('.')
      .map((segment) => Buffer.from(segment, 'base64url').toString('hex'))
      .join('.')
  )
]

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

// The last character of bytes that do not come in threes has bits left over, which must be zero (RFC 4648 §3.5).
function withUnusedBits(segment: string): string {
  return segment.slice(0, -1) + ALPHABET[ALPHABET.indexOf(segment.slice(-1)) + 1]
}

// Header and claims filled up until so many bytes are left over from threes: with one there are unused bits, with none
// a character more says nothing.
function leaving(over: 0 | 1, good: Good): Good {
  const fill = (members: object) => {
    const length = JSON.stringify({ ...members, fill: '' }).length
    return { ...members, fill: 'x'.repeat((over - (length % 3) + 3) % 3) }
  }
  return { ...good, header: fill(good.header), claims: fill(good.claims) }
}

const canonical: Deviation[] = [
  ...SEGMENTS.map((segment) =>
    refused(`unused bits in the ${segment}`, (good) => change(leaving(1, good), segment, withUnusedBits))
  ),
  accepted('unused bits of zero', (good) => forge(leaving(1, good), {})),
  ...SEGMENTS.map((segment) =>
    refused(`a length that no bytes have in the ${segment}`, (good) =>
      change(leaving(0, good), segment, (s) => s + 'A'.repeat((5 - (s.length % 4)) % 4))
    )
  )
]

const ONES = 'eyJhbGciOiJSUzI1NiJ9'

const WHOLE: Record<string, (good: Good) => string> = {
  'one word': () => 'token',
  'one letter': () => 'x',
  'two dots': () => '..',
  'many dots': () => '.'.repeat(4000),
  'null as a text': () => 'null',
  'undefined as a text': () => 'undefined',
  'a dot before it': (good) => `.${forge(good, {})}`,
  'a dot after it': (good) => `${forge(good, {})}.`,
  'a fourth segment': (good) => `${forge(good, {})}.AAAA`,
  'five segments': (good) => `${forge(good, {})}.AAAA.AAAA`,
  'five segments of a JWE': () => `${base64url({ alg: 'RSA-OAEP', enc: 'A256GCM' })}.AAAA.AAAA.AAAA.AAAA`,
  'five segments of a JWE that asks for much work': () =>
    `${base64url({ alg: 'PBES2-HS512+A256KW', enc: 'A256GCM', p2c: 2e9, p2s: 'AAAA' })}.AAAA.AAAA.AAAA.AAAA`,
  'three segments that ask for much work': (good) =>
    forge(good, { header: { alg: 'PBES2-HS512+A256KW', p2c: 2e9, p2s: 'AAAA' } }),
  'no header': (good) => `.${segments(good).payload}.${segments(good).signature}`,
  'no payload': (good) => `${segments(good).header}..${segments(good).signature}`,
  'the header alone': (good) => segments(good).header,
  'header and payload alone': (good) => `${segments(good).header}.${segments(good).payload}`,
  'segments in another order': (good) => forge(good, {}).split('.').reverse().join('.'),
  'the payload twice': (good) => `${segments(good).payload}.${segments(good).payload}.${segments(good).signature}`,
  'slashes for dots': (good) => forge(good, {}).replaceAll('.', '/'),
  'dots in percent encoding': (good) => forge(good, {}).replaceAll('.', '%2E'),
  'quotes around it': (good) => `"${forge(good, {})}"`,
  'angle brackets around it': (good) => `<${forge(good, {})}>`,
  'base64url once more': (good) => base64url(forge(good, {})),
  'two tokens with a comma': (good) => `${forge(good, {})},${forge(good, {})}`,
  'two tokens in a row': (good) => forge(good, {}) + forge(good, {}),
  'upper case': (good) => forge(good, {}).toUpperCase(),
  'a credential pair': () => Buffer.from('ada:secret').toString('base64'),
  'JWS JSON serialization, flattened': (good) => {
    const { header, payload, signature } = segments(good)
    return JSON.stringify({ payload, protected: header, signature })
  },
  'JWS JSON serialization, general': (good) => {
    const { header, payload, signature } = segments(good)
    return JSON.stringify({ payload, signatures: [{ protected: header, signature }] })
  },
  'a detached payload': (good) => {
    const { header, signature } = segments(good)
    return `${header}..${signature}`
  },
  'more than 8 KiB': (good) => forge(good, { claims: { fill: 'x'.repeat(6200) } }),
  'far more than 8 KiB': (good) => forge(good, { claims: { fill: 'x'.repeat(8000) } }),
  'a letter 12,000 times': () => 'A'.repeat(12_000),
  'a header of 10,000 letters': (good) => `${ONES}${'A'.repeat(10_000)}.${segments(good).payload}.AAAA`
}

const LIMIT = 8192

// The longest token with a claim of nothing but letters that is still short enough.
function filled(good: Good, isShort: (length: number) => boolean): string {
  let fill = (LIMIT * 3) / 4
  while (!isShort(forge(good, { claims: { fill: 'x'.repeat(fill) }, sign: () => Buffer.alloc(256) }).length)) fill -= 1
  return forge(good, { claims: { fill: 'x'.repeat(fill) } })
}

const whole: Deviation[] = [
  ...Object.entries(WHOLE).map(([name, make]) => refused(name, make)),
  refused('nothing', () => '', { inHeader: 'invalid_request' }),
  refused('two words', (good) => `${forge(good, {})} ${forge(good, {})}`, { inHeader: 'invalid_request' }),
  refused('the word Bearer before it', (good) => `Bearer ${forge(good, {})}`, { inHeader: 'invalid_request' }),
  refused('the word Bearer', () => 'Bearer'),
  accepted('8 KiB at the most', (good) => filled(good, (length) => length <= LIMIT)),
  refused('a few characters more than 8 KiB', (good) => filled(good, (length) => length <= LIMIT + 8))
]

const utf16 = (text: string) => Buffer.from(text, 'utf16le')
const BOM = Buffer.from([0xef, 0xbb, 0xbf])

// Bytes instead of the text of a JSON object. `json` is what stands there in the good token.
const NO_OBJECTS: Record<string, (json: string) => string | Buffer> = {
  'UTF-16, little end first': utf16,
  'UTF-16, big end first': (json) => utf16(json).swap16(),
  'UTF-16 with a byte order mark': (json) => Buffer.concat([Buffer.from([0xff, 0xfe]), utf16(json)]),
  'a byte order mark first': (json) => Buffer.concat([BOM, Buffer.from(json)]),
  'a byte order mark last': (json) => Buffer.concat([Buffer.from(json), BOM]),
  'a byte that is no UTF-8': (json) => spoiled(json, [0xff]),
  'an overlong form': (json) => spoiled(json, [0xc0, 0xaf]),
  'a surrogate in UTF-8': (json) => spoiled(json, [0xed, 0xa0, 0x80]),
  'a character cut off': (json) => spoiled(json, [0xe2, 0x82]),
  'a code point beyond Unicode': (json) => spoiled(json, [0xf4, 0x90, 0x80, 0x80]),
  'an array': (json) => `[${json}]`,
  'an empty array': () => '[]',
  'an object in a text': (json) => JSON.stringify(json),
  'a number': () => '1',
  null: () => 'null',
  true: () => 'true',
  'an empty text': () => '""',
  'one space': () => ' ',
  'no JSON at all': () => 'not JSON',
  'JSON without its end': (json) => json.slice(0, -1),
  'JSON and more': (json) => `${json}x`,
  'JSON twice': (json) => json + json,
  'JSON with a comma too many': (json) => json.replace(/}$/, ',}'),
  'JSON with a comment': (json) => `/* */${json}`,
  'JSON with single quotes': (json) => json.replaceAll('"', "'"),
  'JSON with NaN': (json) => json.replace(/}$/, ',"x":NaN}'),
  'JSON after a NUL': (json) => `\0${json}`,
  'JSON in percent encoding': encodeURIComponent,
  'JSON in base64': (json) => Buffer.from(json).toString('base64'),
  'arrays 2,000 deep': () => '['.repeat(2000) + ']'.repeat(2000),
  'arrays 2,000 deep without an end': () => '['.repeat(2000),
  'an empty object': () => '{}'
}

// In a member of its own, so that nothing that we look at is touched.
function spoiled(json: string, bytes: readonly number[]): Buffer {
  return Buffer.concat([Buffer.from(json.replace(/}$/, ',"x":"')), Buffer.from(bytes), Buffer.from('"}')])
}

const contents: Deviation[] = Object.entries(NO_OBJECTS).flatMap(([name, content]) => [
  refused(`a header of ${name}`, (good) => forge(good, { header: content(JSON.stringify(good.header)) })),
  refused(`a payload of ${name}`, (good) => forge(good, { claims: content(JSON.stringify(good.claims)) }))
])

const first = (json: string, member: string) => json.replace('{', `{${member},`)
const last = (json: string, member: string) => json.replace(/}$/, `,${member}}`)

// Of a name that stands twice the last one counts, here and in the engines that parse the token after us (row 20).
const twice: Deviation[] = [
  ...[
    ['alg', 'none'],
    ['alg', 'HS256'],
    ['typ', 'JWT'],
    ['kid', 'x.y']
  ].flatMap(([name, value]) => [
    accepted(`${name} twice, first ${value}`, (good) =>
      forge(good, { header: first(JSON.stringify(good.header), `"${name}":"${value}"`) })
    ),
    refused(`${name} twice, last ${value}`, (good) =>
      forge(good, { header: last(JSON.stringify(good.header), `"${name}":"${value}"`) })
    )
  ]),
  ...['iss', 'aud', 'sub', 'exp', 'iat', 'jti', 'sid', 'token_use'].flatMap((name) => [
    accepted(`${name} twice, ours last`, (good) =>
      forge(good, { claims: first(JSON.stringify(good.claims), `"${name}":"x"`) })
    ),
    refused(`${name} twice, ours first`, (good) =>
      forge(good, { claims: last(JSON.stringify(good.claims), `"${name}":"x"`) })
    )
  ])
]

const harmless: Deviation[] = [
  accepted('white space between the members', (good) =>
    compact(JSON.stringify(good.header, null, 2), JSON.stringify(good.claims, null, '\t\r\n'), rs256(good.key))
  ),
  accepted('escapes for letters', (good) =>
    forge(good, { header: JSON.stringify(good.header).replace('"alg"', '"\\u0061lg"') })
  ),
  forged('the signature of another token', (good) => {
    const { header, payload } = segments(good)
    return `${header}.${payload}.${segments({ ...good, claims: { ...good.claims, x: 1 } }).signature}`
  }),
  forged('the payload of another token', (good) => {
    const { header, signature } = segments(good)
    return `${header}.${base64url({ ...good.claims, x: 1 })}.${signature}`
  })
]

/** Texts that are no JWS in canonical compact form, or say what they say in another way than ours (rows 18 to 20, 22, 23). */
export const forms: readonly Deviation[] = [...alphabet, ...canonical, ...whole, ...contents, ...twice, ...harmless]
