import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Answer } from '@latchkey/testing/problem'
import { isProblem } from '@latchkey/testing/problem'
import { buildSchema, getIntrospectionQuery, isObjectType } from 'graphql'
import t from 'tap'
import { ACTIONS } from '../src/actions/all.ts'
import { ACTION_FIELDS } from '../src/graphql/resolvers.ts'
import { SDL } from '../src/graphql/sdl.ts'
import { type Chat, makeRoom, startChat, type User } from './app.ts'

const chat = await startChat(t, { MESSAGES_PER_MINUTE: '10000' })
const ada = chat.user('Ada')

function ask(query: string, variables?: object, by: User | undefined = ada, at: Chat = chat): Promise<Answer> {
  return at.send(by, 'POST /graphql', { query, ...(variables && { variables }) })
}

const codesOf = ({ body }: Answer) => body.errors?.map(({ extensions }: { extensions: object }) => extensions)

t.test('what an action takes and answers has a field of GraphQL, and every action is a field', async (t) => {
  const schema = buildSchema(SDL)
  const fields = Object.entries(ACTION_FIELDS).flatMap(([type, of]) =>
    Object.entries(of).map(([name, { action, roomBy }]) => ({ type, name, action, roomBy }))
  )
  t.strictSame(fields.map(({ action }) => action.name).sort(), ACTIONS.map(({ name }) => name).sort())
  const camel = (name: string) => name.replaceAll(/_(\w)/g, (_, letter) => letter.toUpperCase())
  for (const { type, name, action, roomBy } of fields) {
    const found = schema.getType(type)
    const field = isObjectType(found) ? found.getFields()[name] : undefined
    const required = (action.input.required ?? []) as readonly string[]
    const expected = Object.keys(action.input.properties)
      .filter((member) => !(roomBy === 'parent' && member === 'room'))
      .map((member) => `${roomBy === 'id' && member === 'room' ? 'id' : camel(member)} ${required.includes(member)}`)
    const given = field?.args.map((argument) => `${argument.name} ${String(argument.type).endsWith('!')}`)
    t.strictSame(given?.sort(), expected.sort(), `${type}.${name}`)
    t.notMatch(String(field?.type), /!$/, `${type}.${name} may fail alone`)
  }
})

t.test('rooms, members and messages are read in one request, and changed', async (t) => {
  const bob = chat.user('Bob')
  const made = await ask('mutation { createRoom(name: "Tea", visibility: private) { id name visibility head role } }')
  t.match(made.body, { data: { createRoom: { name: 'Tea', visibility: 'private', head: 1, role: 'owner' } } })
  const room = made.body.data.createRoom.id
  const client = randomUUID()
  const changed = await ask(
    `mutation ($room: ID!, $client: ID!) {
      invite: createInvite(room: $room) { code expiresIn }
      first: sendMessage(room: $room, clientId: $client, text: "Good\\nmorning") { room seq repeated }
      again: sendMessage(room: $room, clientId: $client, text: "x") { seq repeated }
      deleteMessage(room: $room, seq: 2)
    }`,
    { room, client }
  )
  const { invite, ...rest } = changed.body.data
  t.strictSame(rest, {
    first: { room, seq: 2, repeated: false },
    again: { seq: 2, repeated: true },
    deleteMessage: true
  })
  t.equal(invite.expiresIn, 604_800)
  const joined = await ask(
    'mutation ($room: ID!, $code: String) { joinRoom(room: $room, code: $code) { role } }',
    { room, code: invite.code },
    bob
  )
  t.strictSame(joined.body, { data: { joinRoom: { role: 'member' } } })
  await ask(
    'mutation ($room: ID!, $id: ID!) { sendMessage(room: $room, clientId: $id, text: "hi") { seq } }',
    { room, id: randomUUID() },
    bob
  )
  const read = await ask(
    `query ($room: ID!) {
      room(id: $room) { ...Shown members { members { userId username role } next } }
      rooms(limit: 1) { rooms { id } next }
    }
    fragment Shown on Room { createdAt closed messages(limit: 10) { messages { seq kind text deleted actor { username } } nextBefore nextAfter } }`,
    { room }
  )
  t.equal(read.status, 200)
  t.match(read.body.data.room, {
    createdAt: /^\d{4}-/,
    closed: false,
    messages: {
      messages: [
        { seq: 2, kind: 'message', text: null, deleted: true, actor: { username: 'Ada' } },
        { seq: 5, kind: 'message', text: 'hi', deleted: false, actor: { username: 'Bob' } }
      ],
      nextBefore: null,
      nextAfter: null
    },
    members: { next: null }
  })
  t.strictSame(read.body.data.room.members.members.map(({ role }: { role: string }) => role).sort(), [
    'member',
    'owner'
  ])
  t.strictSame(read.body.data.rooms, { rooms: [{ id: room }], next: null })
})

t.test('a field that fails leaves the others, and says why by a code of the list', async (t) => {
  const room = await makeRoom(chat, chat.user('Bob'))
  const answer = await ask(
    '{ seen: room(id: "ROOM") { name messages { nextBefore } } hidden: room(id: "OTHER") { name } bad: room(id: "x") { name } }'
      .replace('ROOM', room)
      .replace('OTHER', randomUUID())
  )
  t.strictSame(answer.body.data, { seen: { name: 'Tea', messages: null }, hidden: null, bad: null })
  const errors = new Map(answer.body.errors.map((error: { path: string[] }) => [error.path.join('.'), error]))
  t.match(errors.get('seen.messages'), { message: 'Join the room first.', extensions: { code: 'not_a_member' } })
  t.match(errors.get('hidden'), { extensions: { code: 'not_found', request_id: /^[0-9a-f-]{36}$/ } })
  t.match(errors.get('bad'), { extensions: { code: 'invalid_input', errors: [{ field: 'id', message: /^must be/ }] } })
})

t.test('a fault of ours is masked and logged, and how long to wait is told', async (t) => {
  const slow = await startChat(t, { MESSAGES_PER_MINUTE: '1' })
  const bob = slow.user('Bob')
  const room = await makeRoom(slow, bob)
  const send = () =>
    ask(
      `mutation { sendMessage(room: "${room}", clientId: "${randomUUID()}", text: "x") { seq } }`,
      undefined,
      bob,
      slow
    )
  t.strictSame((await send()).body.data, { sendMessage: { seq: 2 } })
  t.match(codesOf(await send()), [{ code: 'too_many_requests', retry_after: 60 }])
  const query = slow.database.query.bind(slow.database)
  t.teardown(() => Object.assign(slow.database, { query }))
  Object.assign(slow.database, { query: () => Promise.reject(new Error('secret details')) })
  const broken = await ask(`{ a: room(id: "${room}") { name } b: room(id: "${room}") { name } }`, undefined, bob, slow)
  t.notMatch(JSON.stringify(broken.body), /secret/)
  t.match(codesOf(broken), [{ code: 'internal_error' }, { code: 'internal_error' }])
  const failed = slow.lines.filter(({ level, code }) => level === 'error' && code === 'internal_error')
  t.equal(failed.length, 1, 'once a request')
  t.match(JSON.stringify(failed), /secret details/)
})

t.test('only a token in the header opens it, and only JSON is read', async (t) => {
  isProblem(t, await chat.send(undefined, 'POST /graphql', { query: '{ __typename }' }), 'missing_token')
  isProblem(t, await chat.send(undefined, 'GET /graphql?query={__typename}'), 'missing_token')
  const cookie = await chat.app.inject({
    url: '/graphql?query={__typename}',
    headers: { cookie: `token=${ada.token}` }
  })
  t.equal(cookie.statusCode, 401)
  const batch = await chat.send(ada, 'POST /graphql', [{ query: '{ __typename }' }])
  isProblem(t, batch, 'invalid_input', ['body'], 'no batches')
  isProblem(t, await chat.send(ada, 'POST /graphql', {}), 'invalid_input', ['query'])
  isProblem(t, await chat.send(ada, 'POST /graphql', { query: '{ __typename }', id: 1 }), 'invalid_input', ['id'])
  isProblem(t, await chat.send(ada, 'GET /graphql?query={__typename}&token=x'), 'invalid_input', ['token'])
  isProblem(t, await chat.send(ada, 'POST /graphql', { query: 'x'.repeat(70_000) }), 'content_too_large')
  isProblem(t, await chat.send(ada, 'DELETE /graphql'), 'method_not_allowed')
  const headers = { authorization: `Bearer ${ada.token}`, 'content-type': 'application/json; charset=latin1' }
  const latin = await chat.app.inject({
    method: 'POST',
    url: '/graphql',
    headers,
    payload: '{"query":"{ __typename }"}'
  })
  t.equal(latin.json().code, 'unsupported_media_type')
})

t.test('a query goes by GET, a change does not', async (t) => {
  const asked = new URLSearchParams({
    query: 'query A($scope: Scope) { rooms(scope: $scope) { next } } query B { __typename }',
    operationName: 'A',
    variables: '{"scope":"public"}'
  })
  t.match(await chat.send(ada, `GET /graphql?${asked}`), { status: 200, body: { data: { rooms: { next: null } } } })
  const change = new URLSearchParams({ query: 'mutation { createRoom(name: "x", visibility: public) { id } }' })
  const refused = await chat.send(ada, `GET /graphql?${change}`)
  isProblem(t, refused, 'method_not_allowed')
  t.equal(refused.headers['allow'], 'POST')
  t.match(codesOf(await chat.send(ada, 'GET /graphql?query={__typename}&variables=x')), [{ code: 'invalid_input' }])
  t.match(codesOf(await ask('subscription { roomEvents(room: "x") { seq } }')), [{ code: 'invalid_input' }])
})

t.test('the schema and suggestions are shown in development only', async (t) => {
  const hidden = await ask('{ __schema { types { name } } }')
  t.match(codesOf(hidden), [{ code: 'invalid_input' }, { code: 'invalid_input' }])
  t.equal(hidden.body.data, undefined)
  t.match((await ask('{ __typename }')).body, { data: { __typename: 'Query' } })
  const faults = [
    '{ romms { next } }',
    '{ rooms(limits: 1) { next } }',
    '{ rooms(scope: publik) { next } }',
    'query ($s: Scop) { rooms(scope: $s) { next } }'
  ]
  for (const fault of faults) t.notMatch(JSON.stringify((await ask(fault)).body), /did you mean/i, fault)
  const variable = await ask('query ($s: Scope) { rooms(scope: $s) { next } }', { s: 'publik' })
  t.match(codesOf(variable), [{ code: 'invalid_input' }])
  t.notMatch(JSON.stringify(variable.body), /did you mean/i)
  const open = await startChat(t, { NODE_ENV: 'development' })
  const bob = open.user('Bob')
  const shown = await ask(getIntrospectionQuery(), undefined, bob, open)
  t.equal(shown.body.errors, undefined)
  t.ok(shown.body.data.__schema.types.length > 10)
  t.match(JSON.stringify((await ask('{ romms { next } }', undefined, bob, open)).body), /did you mean \\"rooms\\"/i)
})

t.test('after the longest time of an answer the rest of a request is left', async (t) => {
  const slow = await startChat(t, { ANSWER_TIMEOUT: '1s' })
  const bob = slow.user('Bob')
  for (let n = 0; n < 10; n += 1) await makeRoom(slow, bob)
  const run = slow.database.query
  t.teardown(() => Object.assign(slow.database, { query: run }))
  let lists = 0
  let release = () => {}
  const answered = new Promise<void>((resolve) => {
    release = resolve
  })
  Object.assign(slow.database, {
    query: async (...args: Parameters<typeof run>) => {
      if (/FROM members WHERE room_id/.test(args[0])) {
        lists += 1
        await answered
      }
      return run.apply(slow.database, args)
    }
  })
  isProblem(t, await ask('{ rooms(limit: 10) { rooms { members { next } } } }', undefined, bob, slow), 'unavailable')
  release()
  await sleep(100)
  t.equal(lists, 2, 'of ten, those that had begun')
  const failures = slow.lines.filter(({ level }) => level === 'error')
  t.match(failures, [{ code: 'unavailable', msg: /no answer within/ }])
  t.equal(failures.length, 1)
})
