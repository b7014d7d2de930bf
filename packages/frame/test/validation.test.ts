import type { Problem } from '@latchkey/problems/problem'
import t from 'tap'
import { type TSchema, Type } from 'typebox'
import { fieldValidator } from '../src/validation.ts'

/** What the validator says of a value: the faults that an answer names, and what the log is told. */
function judge(schema: TSchema, value: unknown, httpPart = 'body') {
  const { error } = fieldValidator()({ schema, httpPart, method: 'POST', url: '/' })(value) as { error?: Problem }
  return { errors: error?.options.errors ?? [], reason: error?.options.reason }
}

const closed = { additionalProperties: false }
const THING = Type.Object(
  {
    word: Type.String({ maxLength: 3, pattern: '^[a-z]+$', description: 'a word of at most three letters' }),
    list: Type.Optional(Type.Array(Type.String({ pattern: '^x$' }), { maxItems: 2, uniqueItems: true })),
    inner: Type.Optional(Type.Object({ deep: Type.Integer() }, closed))
  },
  closed
)

t.test('every field is told what is wrong with it, in one answer', async (t) => {
  const faults: [value: unknown, errors: object[]][] = [
    [{ word: 'abc' }, []],
    [{ word: 'abc', list: ['x'], inner: { deep: 1 } }, []],
    [{}, [{ field: 'word', message: 'is required' }]],
    [{ word: undefined }, [{ field: 'word', message: 'must be string' }]],
    [{ word: 5 }, [{ field: 'word', message: 'must be string' }]],
    [{ word: 'abcd' }, [{ field: 'word', message: 'must be a word of at most three letters' }]],
    [
      { word: '', list: ['x', 'y'], inner: { deep: 1.5 }, more: 1 },
      [
        { field: 'word', message: 'must be a word of at most three letters' },
        { field: 'list.1', message: 'must match pattern "^x$"' },
        { field: 'inner.deep', message: 'must be integer' },
        { field: 'more', message: 'is not known here' }
      ]
    ],
    [{ word: 'a', inner: {} }, [{ field: 'inner.deep', message: 'is required' }]],
    [{ word: 'a', inner: { deep: 1, x: 1 } }, [{ field: 'inner.x', message: 'is not known here' }]],
    [Object.create({ word: 'abc' }), [{ field: 'word', message: 'is required' }]],
    ...[null, true, 5, 'text', [], undefined].map((value): [unknown, object[]] => [
      value,
      [{ field: 'body', message: 'must be object' }]
    ])
  ]
  for (const [value, errors] of faults) t.strictSame(judge(THING, value).errors, errors, JSON.stringify(value))
})

t.test('a place is named by what it is to the client', async (t) => {
  for (const [part, place] of Object.entries({
    body: 'body',
    querystring: 'query',
    params: 'path',
    headers: 'headers'
  })) {
    t.strictSame(judge(THING, 5, part).errors, [{ field: place, message: 'must be object' }])
  }
})

t.test('a text that is too long is looked at no further', async (t) => {
  const looked: number[] = []
  const { test } = RegExp.prototype
  t.teardown(() => {
    RegExp.prototype.test = test
  })
  RegExp.prototype.test = function (text) {
    if (this.source === '^[a-z]+$') looked.push(text.length)
    return test.call(this, text)
  }
  judge(THING, { word: 'a'.repeat(64_000) })
  t.strictSame(looked, [])
  judge(THING, { word: 'abc' })
  t.strictSame(looked, [3])
})

t.test('a list that is too long is looked at no further', async (t) => {
  t.match(judge(THING, { word: 'a', list: Array(20_000).fill('') }).errors, [
    { field: 'list', message: /^must NOT have more than 2 items/ }
  ])
})

t.test('a rule of its own decides in the place of what JSON Schema says', async (t) => {
  const asked: string[] = []
  const refuse = (text: string) => {
    asked.push(text)
    return text === 'good' ? undefined : 'must be good'
  }
  const schema = Type.Object({ word: Type.String({ maxLength: 1, pattern: '^x$', description: 'an x', refuse }) })
  t.strictSame(judge(schema, { word: 'good' }).errors, [])
  t.strictSame(judge(schema, { word: 'x' }).errors, [{ field: 'word', message: 'must be good' }])
  t.strictSame(judge(schema, { word: 5 }).errors, [{ field: 'word', message: 'must be string' }])
  t.strictSame(asked, ['good', 'x'], 'it is asked about texts alone')
})

t.test('an answer names twenty faults at most, and no name at length or with controls', async (t) => {
  const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`m${i}`, i]))
  const { errors, reason } = judge(THING, many)
  t.equal(errors.length, 20)
  t.strictSame(errors[0], { field: 'word', message: 'is required' })
  t.equal(reason, 'body: word, something else', 'the log knows the names of fields alone')
  t.equal(judge(THING, { word: '', inner: { secret: 1 } }).reason, 'body: word, inner')
  const names = {
    'a\u0000\u001b[31m\u009bb': 'a\ufffd\ufffd[31m\ufffdb',
    '\ud800': '\ufffd',
    ['x'.repeat(41)]: `${'x'.repeat(40)}…`
  }
  for (const [name, field] of Object.entries(names)) {
    t.strictSame(judge(THING, { word: 'a', [name]: 1 }).errors, [{ field, message: 'is not known here' }])
  }
})

t.test('a body that may be left out is as good as null', async (t) => {
  const schema = Type.Unsafe({ ...THING, type: ['object', 'null'] })
  t.strictSame(judge(schema, null).errors, [])
  t.strictSame(judge(schema, 5).errors, [{ field: 'body', message: 'must be object' }])
})

t.test('a schema that would not be held to is a fault of the program', async (t) => {
  const schemas: TSchema[] = [Type.String(), Type.Object({}, { minProperties: 1 }), Type.Union([THING, Type.Null()])]
  for (const schema of schemas) {
    t.throws(() => fieldValidator()({ schema, httpPart: 'body', method: 'POST', url: '/' }), {
      name: 'TypeError',
      message: /^a schema of body is no plain object/
    })
  }
})
