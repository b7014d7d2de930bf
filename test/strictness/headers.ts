import type { Members } from '@latchkey/testing/tokens'
import type { Kind } from '@latchkey/tokens/claims'
import { accepted, type Deviation, forge, forged, refused } from './deviation.ts'

const TYP: Record<Kind, string> = { access: 'at+jwt', refresh: 'rt+jwt' }
const OTHER: Record<Kind, string> = { access: 'rt+jwt', refresh: 'at+jwt' }

function types(kind: Kind): Deviation[] {
  const typ = TYP[kind]
  const others = [
    'JWT',
    'jwt',
    'application/jwt',
    OTHER[kind],
    `application/${OTHER[kind]}`,
    'secevent+jwt',
    'statuslist+jwt',
    'dpop+jwt',
    'logout+jwt',
    `${typ} `,
    ` ${typ}`,
    `${typ}\0`,
    `${typ};charset=utf-8`,
    `text/${typ}`,
    `application/application/${typ}`,
    `application\\${typ}`,
    typ.replace('+', ' '),
    `${typ},JWT`,
    '*/*',
    '',
    '__proto__',
    [typ],
    { typ },
    null,
    undefined,
    true,
    1
  ]
  return [
    ...others.map((typ) => refused(`typ ${JSON.stringify(typ)}`, (good) => forge(good, { header: { typ } }))),
    // Media types know no letter case, and `application/` may be left out (RFC 7515 §4.1.9).
    ...[typ.toUpperCase(), `application/${typ}`, `Application/${typ.toUpperCase()}`].map((typ) =>
      accepted(`typ ${typ}`, (good) => forge(good, { header: { typ } }))
    )
  ]
}

// Texts that are dangerous to a file name, a query, a shell, an object; none of them is base64url.
const KIDS: readonly unknown[] = [
  '../../../../../../etc/passwd',
  '../../access/current.private.pem',
  '/dev/null',
  '/dev/random',
  'file:///etc/passwd',
  'C:\\Windows\\win.ini',
  "' OR '1'='1",
  "x' UNION SELECT 'secret' --",
  "'; DROP TABLE users; --",
  '$(touch /tmp/latchkey-was-here)',
  '`id`',
  '| id',
  '; sleep 10',
  '%00',
  '{{7*7}}',
  '<%= 7*7 %>',
  '<script>alert(1)</script>',
  'a\r\nX-Injected: yes',
  'a\0b',
  'ключ',
  '\u{1F511}',
  '',
  'x'.repeat(129),
  'x'.repeat(10_000),
  ['kid'],
  [],
  {},
  { toString: 'kid' },
  null,
  undefined,
  true,
  0,
  1e20
]

// Of the right form, but nobody's; the names that every object has are no keys either.
const UNKNOWN_KIDS = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'x'.repeat(128), '-', '0']

function abridged(text: string | undefined): string {
  return text && text.length > 40 ? `of ${text.length - 2} characters` : String(text)
}

const kids: Deviation[] = [
  ...KIDS.map((kid) => refused(`kid ${abridged(JSON.stringify(kid))}`, (good) => forge(good, { header: { kid } }))),
  ...UNKNOWN_KIDS.map((kid) =>
    forged(`kid ${kid.slice(0, 40)} that nobody has`, (good) => forge(good, { header: { kid } }))
  ),
  forged('our kid without its last character', (good) => forge(good, { header: { kid: good.key.kid.slice(0, -1) } })),
  forged('our kid in other letter case', (good) =>
    forge(good, {
      header: { kid: good.key.kid.replace(/[a-z]|[A-Z]/g, (c) => (c < 'a' ? c.toLowerCase() : c.toUpperCase())) }
    })
  ),
  refused('our kid and a space', (good) => forge(good, { header: { kid: `${good.key.kid} ` } })),
  refused('our kid in an array', (good) => forge(good, { header: { kid: [good.key.kid] } }))
]

const REFUSED_MEMBERS: Record<string, Members> = {
  'crit of an extension that nobody knows': { crit: ['x'], x: 1 },
  'an empty crit': { crit: [] },
  'crit of b64': { crit: ['b64'], b64: false },
  'crit of alg': { crit: ['alg'] },
  'crit that is a text': { crit: 'exp' },
  'crit that is null': { crit: null },
  'crit that is false': { crit: false },
  'b64 false': { b64: false },
  'b64 true': { b64: true },
  'zip DEF': { zip: 'DEF' },
  'zip null': { zip: null },
  'p2c of two thousand millions': { p2c: 2e9, p2s: 'AAAA' },
  'jku that is empty': { jku: '' },
  'jku that is null': { jku: null },
  'x5u that is null': { x5u: null },
  'x5c that is empty': { x5c: [] },
  'jwk that is null': { jwk: null }
}

const members: Deviation[] = [
  ...Object.entries(REFUSED_MEMBERS).map(([name, header]) => refused(name, (good) => forge(good, { header }))),
  refused('jwk of our own key', (good) => forge(good, { header: { jwk: good.key.jwk } })),
  refused('jku of somebody else', (good) => forge(good, { header: { jku: good.trap } })),
  refused('x5u of somebody else', (good) => forge(good, { header: { x5u: good.trap } })),
  accepted('members in another order', ({ header, ...good }) =>
    forge({ ...good, header: Object.fromEntries(Object.entries(header).reverse()) }, {})
  ),
  accepted('a member that nobody knows', (good) => forge(good, { header: { x: 'y', __proto: 1 } })),
  accepted('a member __proto__', (good) =>
    forge(good, { header: JSON.stringify(good.header).replace('{', '{"__proto__":{"crit":["x"]},') })
  ),
  refused('alg, typ and kid in __proto__ alone', (good) =>
    forge(good, { header: `{"__proto__":${JSON.stringify(good.header)}}` })
  )
]

/** Headers other than ours, under good signatures (rows 5, 6, 8, 21, 23). */
export function headers(kind: Kind): readonly Deviation[] {
  return [...types(kind), ...kids, ...members]
}
