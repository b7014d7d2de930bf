// Operations of a socket that the client completes before they are done.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { type Chat, makeRoom, startChat } from './app.ts'
import { connectGraphql, type GraphqlClient } from './graphql-socket.ts'

const NOW = { DRAIN_TIME: '0s', ANSWER_TIMEOUT: '60s' }
const QUERY = '{ rooms { next } }'
/** What it asks the database. */
const LISTING = '/* rooms_of_user */'
/** What a subscription asks first. */
const FINDING = '/* room_find */'

/** Holds statements of this name back. Returns how many came, and what lets all go on. */
function hold({ database }: Chat, name: string) {
  const query = database.query.bind(database)
  const held = { count: 0, release: () => {} }
  const released = new Promise<void>((resolve) => {
    held.release = resolve
  })
  const slow: typeof query = async (sql, values) => {
    if (sql.startsWith(name)) {
      held.count += 1
      await released
    }
    return query(sql, values)
  }
  Object.assign(database, { query: slow })
  return held
}

/** The message that an operation has got when the service has read all that was sent. */
async function answerSoFar(client: GraphqlClient, id: string) {
  const mark = randomUUID()
  client.send({ type: 'ping', payload: { mark } })
  await client.until(({ type, payload }) => type === 'pong' && payload.mark === mark)
  return client.messages.find((message) => message['id'] === id)
}

const TOO_MANY = { type: 'error', payload: [{ extensions: { code: 'limit_reached' } }] }

t.test('operations that wait count until they are done, and those that were completed are not begun', async (t) => {
  const chat = await startChat(t, NOW)
  const client = await connectGraphql(t, chat, chat.user('Ada'))
  const held = hold(chat, LISTING)
  const first = client.begin(QUERY)
  for (let n = 0; n < 60; n += 1) client.send({ id: client.begin(QUERY), type: 'complete' })
  t.match(await answerSoFar(client, client.begin(QUERY)), TOO_MANY)
  held.release()
  await client.until(({ type, id }) => type === 'complete' && id === first)
  t.match(await client.ask('{ __typename }'), { type: 'next' })
  t.equal(held.count, 1)
})

t.test('subscriptions that are being opened count likewise, and none goes on that was completed', async (t) => {
  const chat = await startChat(t, NOW)
  const ada = chat.user('Ada')
  const room = await makeRoom(chat, ada)
  const client = await connectGraphql(t, chat, ada)
  const held = hold(chat, FINDING)
  for (let n = 0; n < 60; n += 1) client.send({ id: client.listen(room, 0), type: 'complete' })
  t.match(await answerSoFar(client, client.listen(room, 0)), TOO_MANY)
  t.equal(held.count, 50)
  held.release()
  let id = ''
  do {
    id = client.listen(room, 0)
    await client.until((message) => message['id'] === id)
  } while (client.seqs(id).length === 0)
  t.same(
    client.messages.filter(({ type }) => type === 'next').map((message) => message['id']),
    [id]
  )
})

t.test('an id that is used again gets the answers of the later operation alone', async (t) => {
  const chat = await startChat(t, NOW)
  const ada = chat.user('Ada')
  const room = await makeRoom(chat, ada)
  const client = await connectGraphql(t, chat, ada)
  const begin = (id: string, query: string) => client.send({ id, type: 'subscribe', payload: { query } })
  const listing = hold(chat, LISTING)
  const finding = hold(chat, FINDING)
  for (const [id, early] of [
    ['running', QUERY],
    ['waiting', QUERY],
    ['opening', `subscription { roomEvents(room: "${room}", after: 0) { seq } }`]
  ] as const) {
    begin(id, early)
    if (id === 'running') await answerSoFar(client, id)
    client.send({ id, type: 'complete' })
    begin(id, '{ __typename }')
  }
  await answerSoFar(client, '')
  finding.release()
  listing.release()
  for (const id of ['running', 'waiting', 'opening']) {
    await client.until((message) => message['id'] === id && message.type === 'complete')
    t.match(
      client.messages.filter((message) => message['id'] === id),
      [{ payload: { data: { __typename: 'Query' } } }, { type: 'complete' }]
    )
  }
  t.equal(listing.count, 1)
})
