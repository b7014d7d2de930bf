import { printable } from '@latchkey/testing/problem'
import fc from 'fast-check'
import t from 'tap'
import { normalizeUsername, refuseUsername, USERNAME_PATTERN } from '../src/users/username.ts'

const LONG = 'must have at most 64 characters'
const CONTROLS = 'must not have line breaks or control characters'
const TURNS = 'must not have characters that change the direction of text'
const UNSEEN = 'must have a character that can be seen'

t.test('whatever shows is a name, in every script', async (t) => {
  const names = [
    'x',
    '1',
    '?',
    '.',
    'Ada Lovelace',
    '  Ada ',
    '\tAda\r\n',
    'Ame\u0301lie',
    '山田',
    'ｱﾀﾞ',
    '이순신',
    'עדה',
    'آدا',
    'می\u200cخواهم',
    'क्\u200dष',
    'ത\u0d3e',
    '👩\u200d💻',
    '❤\ufe0f',
    '1\ufe0f\u20e3',
    '🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}',
    '🇩🇪',
    'A\u00adda',
    '\u200bAda\u200b',
    '\u0301Ada',
    '𝒜𝒹𝒶',
    '\ue000',
    '\u{1f9ff}\u{1fae9}',
    'x'.repeat(64),
    '😀'.repeat(64),
    'e\u0301'.repeat(64),
    `${' '.repeat(900)}Ada`
  ]
  for (const name of names) t.equal(refuseUsername(name), undefined, printable(name))
})

t.test('what shows nothing is no name', async (t) => {
  const unseen = {
    'no character': '',
    'a blank': ' ',
    blanks: '\t \u00a0\u3000\ufeff\r\n',
    'an ogham space': '\u1680',
    'a zero width space': '\u200b',
    'joiners alone': '\u200d\u200c',
    'a word joiner': '\u2060',
    'a soft hyphen': '\u00ad',
    'the Hangul filler': '\u3164',
    'the Hangul choseong filler': '\u115f',
    'the Hangul jungseong filler': '\u1160',
    'the halfwidth Hangul filler': '\uffa0',
    'the Braille blank': '\u2800',
    'Khmer inherent vowels': '\u17b4\u17b5',
    'the Mongolian vowel separator': '\u180e',
    'the null notehead': '\u{1d159}',
    'hieroglyphic blanks': '\u{13441}\u{13442}',
    'variation selectors': '\ufe0f\u{e0100}',
    tags: '\u{e0041}\u{e0064}',
    'a mark without a letter': '\u0301',
    'a mark on a blank': 'x \u0301'.slice(1),
    'an enclosing mark': '\u20dd',
    'invisible operators': '\u2062\u2063',
    'an annotation anchor': '\ufff9',
    noncharacters: '\uffff\ufdd0\u{10ffff}',
    'all of them': '\u200b\u3164\u2800 \u0301\ufe0f'
  }
  for (const [what, name] of Object.entries(unseen)) t.equal(refuseUsername(name), UNSEEN, what)
})

t.test('a name is one line, which it does not turn round', async (t) => {
  for (const break_ of [
    '\n',
    '\r',
    '\u2028',
    '\u2029',
    '\u0085',
    '\u0000',
    '\u001b',
    '\t',
    '\u007f',
    '\u009f',
    '\u009b'
  ]) {
    t.equal(refuseUsername(`Ada${break_}Lovelace`), CONTROLS, printable(break_))
  }
  for (const turn of '\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069') {
    t.equal(refuseUsername(`Ada${turn}`), TURNS, printable(turn))
  }
  t.equal(refuseUsername('\u202e'), TURNS)
})

t.test('a name has 64 characters at most, once it is normalized, and 1,000 units as it is sent', async (t) => {
  for (const name of [
    'x'.repeat(65),
    '😀'.repeat(65),
    'e\u0301'.repeat(65),
    `${' '.repeat(998)}Ada`,
    ' '.repeat(1001)
  ]) {
    t.equal(refuseUsername(name), LONG, `${name.length} units`)
  }
  for (const name of ['Ada\ud800', '\udc00Ada']) {
    t.equal(refuseUsername(name), 'must be text without broken characters', printable(name))
  }
})

// What the pattern cannot say is left out: that a name shows.
t.test('the documented pattern says the same of names in NFC', async () => {
  const documented = new RegExp(USERNAME_PATTERN, 'u')
  const odd = ' \u00a0\u3000\ufeff\t\n\u2028\u0085\u0000\u200e\u202e\u2069xéש山😀'
  const names = fc.string({ unit: fc.oneof(fc.constantFrom(...odd), fc.constantFrom('x', 'y')), maxLength: 140 })
  fc.assert(
    fc.property(names, (sent) => {
      const name = sent.normalize('NFC')
      const refusal = refuseUsername(name)
      return documented.test(name) === (refusal === undefined || (refusal === UNSEEN && normalizeUsername(name) !== ''))
    }),
    { numRuns: 2000 }
  )
})
