import t from 'tap'
import { printable } from '../../testing/src/problem.ts'
import { harmless } from '../src/harmless.ts'

const TOKEN = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl-_'
const percent = (text: string) => text.replace(/./gs, (char) => `%${char.charCodeAt(0).toString(16)}`)

t.test('a text of people and programs stays as it is', async (t) => {
  const texts = [
    'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
    'Ångström 日本語 👍 "quoted" \\ \\u009b 100%',
    'key yJ Eyjafjallajökull EYJ',
    '0d6c6ab0-2b9c-4c62-9b3d-0c1f1e8a9a11'
  ]
  for (const text of texts) t.equal(harmless(text), text)
})

t.test('what a terminal obeys, and what hides or turns a text round, is written out', async (t) => {
  const texts = {
    '\x1b[2J': '\\u001b[2J',
    'a\0b\tc\r\nd\x7f': 'a\\u0000b\\u0009c\\u000d\\u000ad\\u007f',
    '\x9b31m\x85\x80\x9f': '\\u009b31m\\u0085\\u0080\\u009f',
    '\u202egnp.exe\u2066\u200f': '\\u202egnp.exe\\u2066\\u200f',
    'a\u2028b\u2029c': 'a\\u2028b\\u2029c',
    '\u200b\u2060\ufeff\u00ad': '\\u200b\\u2060\\ufeff\\u00ad',
    '\u{e0041}': '\\u{e0041}',
    'half \ud83d of a pair': 'half \\ud83d of a pair'
  }
  for (const [text, shown] of Object.entries(texts)) {
    t.equal(harmless(text), shown, printable(text))
    t.equal(harmless(shown), shown, `${printable(text)}, again`)
  }
})

t.test('a token is never shown, whole or in part, plain or percent-encoded', async (t) => {
  const again = encodeURIComponent
  const parts = [TOKEN, TOKEN.slice(0, 20), 'eyJ', percent(TOKEN), again(percent(TOKEN)), again(again(percent('eyJ')))]
  for (const part of [
    ...parts,
    `%65yJ${TOKEN.slice(3)}`,
    `e%79%4a${TOKEN.slice(3)}`,
    `%2565%252579%4A${TOKEN.slice(3)}`
  ]) {
    t.equal(harmless(part), '[token]', part)
    t.equal(harmless(`Bearer ${part}, more`), 'Bearer [token], more')
  }
})
