import t from 'tap'
import { between } from '../../testing/src/between.ts'
import { harmlessLine, LONGEST_LINE } from '../src/harmless-line.ts'

const COMMON = { level: 'error', time: '2026-11-22T00:00:00.000Z', service: 'auth', request_id: crypto.randomUUID() }

function lineOf(record: object): string {
  return `${JSON.stringify({ ...COMMON, ...record })}\n`
}

t.test('an ordinary line stays as it is, byte for byte', async (t) => {
  for (const record of [{ msg: 'answered', ms: 1 }, { msg: '"quoted"' }, { msg: 'é', n: null, a: [1, true] }]) {
    t.equal(harmlessLine(lineOf(record)), lineOf(record))
  }
})

t.test('every text in it is made harmless, in lists and members of members too; a stack keeps its lines', async (t) => {
  const evil = 'a\x1b[2J\n\x9b\u202eeyJhbGciOi.e30.x'
  const good = 'a\\u001b[2J\\u000a\\u009b\\u202e[token]'
  const line = harmlessLine(
    lineOf({ err: { message: evil, stack: '    at a\n    at \x9bb' }, list: [evil, 1], msg: evil })
  )
  t.strictSame(JSON.parse(line), {
    ...COMMON,
    err: { message: good, stack: '    at a\n    at \\u009bb' },
    list: [good, 1],
    msg: good
  })
  t.equal(line.indexOf('\n'), line.length - 1)
})

t.test('it is no longer than it may be, whatever is in it, and still says whose it is', async (t) => {
  const long = 'x'.repeat(100_000)
  const error = (cause?: object): object => ({ type: long, code: long, message: long, stack: long, cause })
  const records = {
    'a long text': { msg: long },
    'long texts': { a: long, b: long, c: long, d: long, e: long, f: long, msg: long },
    'what is escaped': { msg: '\x9b'.repeat(100_000) },
    'many bytes a letter': { msg: '日'.repeat(100_000) },
    'pairs that are cut in two': { msg: `x${'👍'.repeat(100_000)}` },
    'an error with causes': { err: error(error(error())), msg: long },
    'a long list': { kids: Array(1000).fill('k'.repeat(43)), msg: long },
    'many members': { ...Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`m${i}`, i])), msg: long }
  }
  for (const [name, record] of Object.entries(records)) {
    const line = harmlessLine(lineOf(record))
    between(t, Buffer.byteLength(line), { most: LONGEST_LINE }, name)
    t.match(JSON.parse(line), { ...COMMON, ...('msg' in record && { msg: String }) }, name)
    t.equal(line.isWellFormed(), true, name)
  }
})

t.test('a long list says how many more there are', async (t) => {
  const { kids } = JSON.parse(harmlessLine(lineOf({ kids: Array(100).fill('k'.repeat(43)) })))
  t.strictSame([kids.length, kids.at(-1)], [9, 'and 92 more'])
})
