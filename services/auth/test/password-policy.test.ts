import { printable } from '@latchkey/testing/problem'
import t from 'tap'
import {
  fitsBcrypt,
  isOwnWord,
  normalizePassword,
  OWN_WORD as OWN,
  refusePassword,
  refuseUnreadable
} from '../src/passwords/policy.ts'

const OWNER = { email: 'Ada.Lovelace@analytical.example', username: 'Countess Ada' }
const refuse = (password: string, owner = OWNER, minLength = 8) =>
  refusePassword(password, minLength) ?? (isOwnWord(password, owner) ? OWN : undefined)
const SHORT = 'must have at least 8 characters'
const LONG = 'must have at most 72 bytes (letters beyond ASCII have more than one)'
const COMMON = 'must not be one of the common passwords'
const CONTROLS = 'must not have control characters'

t.test('no rules of composition: letters, spaces, emoji', async (t) => {
  const good = ['xkqzvbnj', 'a quiet harbour', '        x', '12345670918', '😀😃😄😁😆😅🤣😂', 'пароль-тест']
  for (const password of good) t.equal(refuse(password), undefined, printable(password))
})

t.test('the length counts characters, after NFC', async (t) => {
  t.equal(refuse('sevenxx'), SHORT)
  t.equal(refuse('😀😃😄😁😆😅🤣'), SHORT, 'seven emoji are 14 UTF-16 units')
  t.equal(refuse('e\u0301'.repeat(7)), SHORT, 'seven letters with accents of their own')
  t.equal(refuse('e\u0301x'.repeat(4)), undefined)
  t.equal(refuse('twelve chars', OWNER, 13), 'must have at least 13 characters')
})

t.test('72 bytes of UTF-8 are the most, whatever the letters', async (t) => {
  for (const [letter, most] of [
    ['x', 72],
    ['é', 36],
    ['€', 24],
    ['😀', 18]
  ] as const) {
    t.equal(refuse(letter.repeat(most)), undefined, `${most} of ${printable(letter)}`)
    t.equal(refuse(letter.repeat(most + 1)), LONG, `${most + 1} of ${printable(letter)}`)
  }
  t.equal(refuse('e\u0301'.repeat(36)), undefined, '108 bytes as sent, 72 after NFC')
  t.strictSame(
    [fitsBcrypt('x'.repeat(72)), fitsBcrypt('x'.repeat(73)), fitsBcrypt('€'.repeat(25))],
    [true, false, false]
  )
})

t.test(
  'no account has a password with control characters, of more than 300 units or with half a character',
  async (t) => {
    const refused: [password: string, why: string][] = [
      ['ab\u0000ab\u0000ab', CONTROLS],
      ['a quiet\tharbour', CONTROLS],
      ['a quiet harbour\r\n', CONTROLS],
      ['a quiet\u001bharbour', CONTROLS],
      ['a quiet\u007fharbour', CONTROLS],
      ['a quiet\u0085harbour', CONTROLS],
      ['a quiet\u009fharbour', CONTROLS],
      ['x'.repeat(301), 'must have at most 300 characters'],
      ['😀'.repeat(151), 'must have at most 300 characters'],
      ['a quiet\ud800harbour', 'must be text without broken characters'],
      ['a quiet harbour\udc00', 'must be text without broken characters']
    ]
    for (const [password, why] of refused) {
      t.equal(refuseUnreadable(password), why, printable(password))
      t.equal(refuse(password), why, `chosen: ${printable(password)}`)
    }
    for (const password of ['', 'x', 'x'.repeat(300), '😀'.repeat(150), 'a\u00a0\u2028\u200d\ufeff']) {
      t.equal(refuseUnreadable(password), undefined, printable(password))
    }
  }
)

t.test('common passwords, in any letter case', async (t) => {
  for (const password of ['password', 'Password1', 'QWERTYUIOP', 'iloveyou', '123456789', 'letmein1']) {
    t.equal(refuse(password), COMMON, password)
  }
})

t.test('own words, with digits and punctuation around them', async (t) => {
  const own = [
    'countess ada',
    'COUNTESS ADA',
    'Countess Ada!',
    '1815CountessAda'.replace('sA', 's A'),
    '***Countess Ada1852***',
    'ada.lovelace@analytical.example',
    '"Ada.Lovelace@Analytical.Example"',
    'ada.lovelace',
    'Ada.Lovelace1815',
    'latchkey',
    'LatchKey2026!',
    '  latchkey  '
  ]
  for (const password of own) t.equal(refuse(password), OWN, password)
})

t.test('own words inside longer ones are allowed, and so are those under 4 characters', async (t) => {
  for (const password of ['countess ada and i', 'ada lovelace', 'my latchkey', 'latchkeys', 'analytical.example']) {
    t.equal(refuse(password), undefined, password)
  }
  const short = { email: 'eve@example.com', username: 'Eve' }
  t.equal(refuse('eve', short, 3), undefined)
  for (const password of ['eve123456789', 'Eve!!!!!!!!!', '2026-eve-2026'])
    t.equal(refuse(password, short), undefined, password)
})

t.test('own words that begin or end with digits count with and without them', async (t) => {
  const digits = { email: '20261122@example.com', username: 'lovelace1815' }
  t.equal(refuse('20261122', digits), OWN, 'of digits alone')
  t.equal(refuse('lovelace1815', digits), OWN)
  t.equal(refuse('lovelace1815!', digits), OWN)
  t.equal(refuse('lovelace2026', digits), OWN)
  t.equal(refuse('20261123', digits), undefined)
  const initial = { email: 'x1@example.com', username: 'a1815' }
  t.equal(refuse('a-0123456789', initial), undefined, 'what is left of the word is under 4 characters')
})

t.test('a password is the same from every keyboard (OpaqueString, RFC 8265 §4.2.2)', async (t) => {
  t.equal(normalizePassword('Ame\u0301lie'), 'Am\u00e9lie')
  t.equal(normalizePassword('a\u00a0b\u2003c\u3000d\u202fe'), 'a b c d e')
  t.equal(
    normalizePassword('\ufb01 \u2460 \uff21'),
    '\ufb01 \u2460 \uff21',
    'but letters are not made others: NFC, not NFKC'
  )
  t.equal(normalizePassword(' A\tb '), ' A\tb ', 'nor is anything trimmed or put in lower case')
})
