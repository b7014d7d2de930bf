import { randomUUID } from 'node:crypto'
import { between } from '@latchkey/testing/between'
import t from 'tap'
import { makeRoom, startChat } from './app.ts'

const chat = await startChat(t)
const ada = chat.user('Ada')
const ID = randomUUID()

/** Asks, and counts the statements that it took. */
async function ask(query: string, variables?: object) {
  const { database } = chat
  const run = database.query
  let statements = 0
  Object.assign(database, {
    query: (...args: Parameters<typeof run>) => {
      statements += 1
      return run.apply(database, args)
    }
  })
  try {
    const { body } = await chat.send(ada, 'POST /graphql', { query, ...(variables && { variables }) })
    const errors: { message: string; extensions: { code: string } }[] = body.errors ?? []
    return { body, errors, statements }
  } finally {
    Object.assign(database, { query: run })
  }
}

const times = (count: number, make: (n: number) => string) => Array.from({ length: count }, (_, n) => make(n)).join(' ')
const FIVE = 'm: messages(limit: 10) { messages { actor { username } } }'

// What is just allowed, and what is not: [limit, allowed, refused, what the message says].
const EDGES: Readonly<Record<string, readonly [string, string, RegExp]>> = {
  tokens: [
    `{ room(id: "${ID}") { ${times(330, (n) => `a${n}: id`)} } }`,
    `{ room(id: "${ID}") { ${times(331, (n) => `a${n}: id`)} } }`,
    /1000 tokens/
  ],
  depth: [
    `{ rooms(limit: 1) { rooms { ${FIVE} } } }`,
    `{ room(id: "${ID}") { id members(limit: 1) { members { userId { a { b { c } } } } } } }`,
    /at most 6 levels/
  ],
  fields: [
    `{ ${times(10, (n) => `a${n}: __typename`)} }`,
    `{ ${times(11, (n) => `a${n}: __typename`)} }`,
    /at most 10 fields/
  ],
  'fields of the same name': [
    `{ ${times(10, () => '__typename')} }`,
    `{ ${times(11, () => '__typename')} }`,
    /at most 10/
  ],
  'fields in fragments': [
    `{ ...A ...A } fragment A on Query { ${times(5, (n) => `a${n}: __typename`)} }`,
    `{ ...A ... on Query { ...A } ...B } fragment A on Query { ${times(5, (n) => `a${n}: __typename`)} } fragment B on Query { b: __typename }`,
    /at most 10/
  ],
  changes: [
    `mutation { ${times(5, (n) => `a${n}: unban(room: "${ID}", userId: "${ID}")`)} }`,
    `mutation { ${times(6, (n) => `a${n}: unban(room: "${ID}", userId: "${ID}")`)} }`,
    /at most 5 fields in a mutation/
  ],
  cost: [
    '{ rooms(limit: 48) { rooms { messages(limit: 100) { next: nextBefore } } } }',
    '{ rooms(limit: 50) { rooms { messages(limit: 100) { nextBefore } } } }',
    /at most 5000 fields/
  ],
  'cost by the usual limit': [
    '{ rooms(limit: 48) { rooms { messages(limit: null) { a: nextBefore b: nextBefore } } } }',
    '{ rooms { rooms { messages { a: nextBefore b: nextBefore } } } }',
    /at most 5000 fields/
  ],
  lists: [
    '{ rooms(limit: 99) { rooms { members(limit: 1) { next } messages(limit: 1) { nextAfter } } } }',
    '{ rooms(limit: 100) { rooms { members(limit: 1) { next } messages(limit: 1) { nextAfter } } } }',
    /at most 200 lists/
  ]
}

for (const [name, [allowed, refused, message]] of Object.entries(EDGES)) {
  t.test(`a request has a limit of ${name}, and nothing is done beyond`, async (t) => {
    const good = await ask(allowed)
    t.notMatch(JSON.stringify(good.errors), /at most|tokens/, 'within')
    t.ok(good.body.data, 'it was executed')
    const bad = await ask(refused)
    t.match(bad.errors, [{ message, extensions: { code: 'invalid_input' } }])
    t.strictSame([bad.errors.length, bad.body.data, bad.statements], [1, undefined, 0])
  })
}

t.test('the limit of a list counts as it comes, by a variable or its default too', async (t) => {
  const query = 'query ($n: Int = 10) { rooms(limit: $n) { rooms { messages(limit: 100) { nextBefore } } } }'
  t.strictSame((await ask(query)).errors, [])
  t.strictSame((await ask(query, { n: 20 })).errors, [])
  for (const n of [50, 100, 101, 1e9, -1, '100', [1]]) {
    const { errors, statements } = await ask(query, { n })
    t.match(errors[0], { extensions: { code: 'invalid_input' } }, JSON.stringify(n))
    t.equal(statements, 0)
  }
  // What is out of bounds is no way around.
  const { errors, statements } = await ask('{ rooms(limit: -1) { rooms { id } } }')
  t.match(errors, [{ extensions: { code: 'invalid_input', errors: [{ field: 'limit' }] } }])
  t.equal(statements, 0)
})

t.test('a request with many fields takes two connections of the pool, and not all', async (t) => {
  for (let n = 0; n < 20; n += 1) await makeRoom(chat, ada)
  const { database } = chat
  const run = database.query
  let [running, most] = [0, 0]
  t.teardown(() => Object.assign(database, { query: run }))
  Object.assign(database, {
    query: async (...args: Parameters<typeof run>) => {
      running += 1
      most = Math.max(most, running)
      try {
        return await run.apply(database, args)
      } finally {
        running -= 1
      }
    }
  })
  const { body } = await chat.send(ada, 'POST /graphql', {
    query:
      '{ rooms(limit: 20) { rooms { members(limit: 1) { members { userId } } messages(limit: 1) { nextBefore } } } }'
  })
  t.equal(body.errors, undefined)
  t.equal(body.data.rooms.rooms.length, 20)
  t.equal(most, 2)
})

const fragments = (count: number, body: (n: number) => string) =>
  times(count, (n) => `fragment F${n} on Room { ${body(n)} }`)

/** Documents within the limit of tokens that are dear to look at, one way or another. */
const WORST: Readonly<Record<string, string>> = {
  'fragments that double': `{ room(id: "x") { ...F0 } } ${fragments(60, (n) => (n < 59 ? `...F${n + 1} ...F${n + 1}` : 'id'))}`,
  'fragments in a circle': `{ room(id: "x") { ...F0 } } ${fragments(60, (n) => `id ...F${(n + 1) % 60}`)}`,
  'fragments that all spread all': `{ room(id: "x") { ...F0 } } ${fragments(14, () => `id ${times(14, (n) => `...F${n}`)}`)}`,
  'fields that overlap': `{ room(id: "x") { ${times(480, () => 'id')} } }`,
  'fields that overlap below': `{ ${times(9, () => `room(id: "x") { ${times(40, () => 'id')} messages { messages { seq } } }`)} }`,
  'fields that overlap in lists': `{ room(id: "x") { ${times(70, () => 'members(limit: 1) { next }')} } }`,
  'inline fragments that overlap': `{ room(id: "x") { ${times(150, () => '... on Room { id }')} } }`,
  'nested inline fragments': `{ ${'... { '.repeat(300)} __typename ${'} '.repeat(300)} }`,
  'nested fields': `{ ${'a { '.repeat(300)} a ${'} '.repeat(300)} }`,
  'nested lists': `{ room(id: ${'['.repeat(450)}${']'.repeat(450)}) { id } }`,
  'nested objects': `{ room(id: ${'{a:'.repeat(300)}1${'}'.repeat(300)}) { id } }`,
  directives: `{ __typename ${times(480, (n) => `@a${n}`)} }`,
  'unknown fields': `{ room(id: "x") { ${times(900, (n) => `romm${n}`)} } }`,
  variables: `query (${times(240, (n) => `$v${n}: ID`)}) { __typename }`,
  operations: times(190, (n) => `query Q${n} { __typename }`),
  arguments: `{ room(${times(300, (n) => `id${n}: 1`)}) { id } }`,
  'a long name': `{ ${'a'.repeat(60_000)} }`,
  'a long text': `{ room(id: "${'\\u0041'.repeat(9000)}") { id } }`,
  'blanks and comments': `{ ${'#\n'.repeat(14_000)} ${','.repeat(30_000)} __typename }`
}

t.test('no document takes long, and none has more than ten errors', async (t) => {
  for (const [name, query] of Object.entries(WORST)) {
    await ask(query)
    const begun = performance.now()
    const { errors, statements } = await ask(query)
    const took = performance.now() - begun
    between(t, took, { most: 1000 }, `${name}: ${Math.round(took)} ms`)
    between(t, errors.length, { most: 10 }, `${name}: ${errors.length} errors`)
    t.ok(
      errors.every(({ extensions }) => extensions.code === 'invalid_input'),
      name
    )
    between(t, statements, { most: 1 }, `${name}: ${statements} statements`)
  }
})
