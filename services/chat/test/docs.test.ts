import { everySchemaCompiles } from '@latchkey/testing/compiled'
import {
  everyAnswerIsNamed,
  everyObjectStandsOnce,
  everyOperationIsNamed,
  everyRefusalHasItsHeaders,
  everyTextIsShown
} from '@latchkey/testing/operations'
import { isProblem } from '@latchkey/testing/problem'
import t from 'tap'
import { startChat } from './app.ts'

const chat = await startChat(t)

t.test('every schema can be used', async (t) => everySchemaCompiles(t, (await startChat(t)).app))

t.test('the document gives every endpoint a name, and says who may call it', async (t) => {
  const { body } = await chat.send(undefined, 'GET /openapi.json')
  everyOperationIsNamed(t, body)
  everyRefusalHasItsHeaders(t, body)
  everyTextIsShown(t, body)
  everyAnswerIsNamed(t, body)
  everyObjectStandsOnce(t, body)
})

const ROOM = '/rooms/00000000-0000-4000-8000-000000000000'
/** Every path, with the methods that it has. */
const PATHS: Readonly<Record<string, readonly string[]>> = {
  '/rooms': ['GET', 'HEAD', 'POST'],
  [ROOM]: ['DELETE', 'GET', 'HEAD', 'PUT'],
  [`${ROOM}/join`]: ['POST'],
  [`${ROOM}/leave`]: ['POST'],
  [`${ROOM}/invites`]: ['POST'],
  [`${ROOM}/members`]: ['GET', 'HEAD'],
  [`${ROOM}/members/${ROOM.slice(7)}`]: ['DELETE', 'PUT'],
  [`${ROOM}/bans`]: ['GET', 'HEAD'],
  [`${ROOM}/bans/${ROOM.slice(7)}`]: ['DELETE', 'PUT'],
  [`${ROOM}/messages`]: ['GET', 'HEAD', 'POST'],
  [`${ROOM}/messages/1`]: ['DELETE'],
  '/graphql': ['GET', 'POST']
}

for (const [path, methods] of Object.entries(PATHS)) {
  t.test(`${path} answers ${methods.join(' and ')}, and names them to who asks otherwise`, async (t) => {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const answer = await chat.send(undefined, `${method} ${path}`)
      if (methods.includes(method)) isProblem(t, answer, 'missing_token', [], method)
      else {
        isProblem(t, answer, 'method_not_allowed', [], method)
        t.equal(answer.headers['allow'], methods.join(', '))
      }
    }
  })
}

t.test('no endpoint knows another member of the query or of the body, and none is done that has one', async (t) => {
  const ada = chat.user('Ada', { roles: ['user', 'admin'] })
  for (const [path, methods] of Object.entries(PATHS)) {
    for (const method of methods.filter((method) => method !== 'HEAD')) {
      const line = `${method} ${path}?role=admin&access_token=x&a=1&a=2`
      const answer = await chat.send(ada, line)
      t.equal(answer.body.code, 'invalid_input', line)
    }
  }
  const body = { name: 'Tea', visibility: 'public', from: 'Eve', created_by: ada.id }
  isProblem(t, await chat.send(ada, 'POST /rooms', body), 'invalid_input', ['from', 'created_by'])
  isProblem(t, await chat.send(ada, `POST ${ROOM}/join`, { role: 'owner' }), 'invalid_input', ['role'])
  t.strictSame(await chat.database.query('SELECT id FROM rooms'), [])
})

const SIZE = 64_000
const WORST = {
  'one letter': 'a'.repeat(SIZE),
  emoji: '😀'.repeat(SIZE / 4),
  blanks: ' '.repeat(SIZE),
  marks: `a${'\u0300\u0316'.repeat(SIZE / 4)}`,
  'hyphens and digits': '0-'.repeat(SIZE / 2)
}

t.test('a text is refused beyond its bound, whatever it holds', async (t) => {
  const ada = chat.user('Ada')
  const FIELDS: Readonly<Record<string, object>> = {
    'POST /rooms': { name: 'Tea', visibility: 'public' },
    [`PUT ${ROOM}`]: { name: 'Tea' },
    [`POST ${ROOM}/join`]: { code: 'A'.repeat(22) },
    [`PUT ${ROOM}/members/${ROOM.slice(7)}`]: { role: 'owner' },
    [`POST ${ROOM}/messages`]: { client_id: ROOM.slice(7), text: 'x' }
  }
  for (const [line, body] of Object.entries(FIELDS)) {
    for (const field of Object.keys(body)) {
      for (const [name, worst] of Object.entries(WORST)) {
        const answer = await chat.send(ada, line, { ...body, [field]: worst })
        isProblem(t, answer, 'invalid_input', [field], `${line} ${field}: ${name}`)
      }
    }
  }
})
