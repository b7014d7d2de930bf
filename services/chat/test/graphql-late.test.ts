import { once } from 'node:events'
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type Chat, startChat, type User } from './app.ts'
import { connectGraphql } from './graphql-socket.ts'
import { portOf } from './socket.ts'

const QUERY = '{ rooms { rooms { id } } more: rooms { next } never: rooms { next } }'
/** What each part of it asks the database. */
const LISTING = '/* rooms_of_user */'
/** Of the three parts, two run at once. */
const RUNNING = 2

/** Each asks, and returns what cuts its connection. */
const WAYS: Readonly<Record<string, (t: Test, chat: Chat, user: User) => Promise<() => void>>> = {
  HTTP: async (_t, chat, { token }) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const asked = request({ port: await portOf(chat), path: '/graphql', method: 'POST', headers })
    asked.on('error', () => {})
    asked.end(JSON.stringify({ query: QUERY }))
    // Who only ends its side still waits for the answer.
    return () => asked.socket?.resetAndDestroy()
  },
  WebSocket: async (t, chat, user) => {
    const client = await connectGraphql(t, chat, user)
    client.begin(QUERY)
    return () => client.socket.terminate()
  }
}

for (const [name, ask] of Object.entries(WAYS)) {
  t.test(`by ${name}, what fails after the client has gone is logged, and what was left is not`, async (t) => {
    const chat = await startChat(t, { DRAIN_TIME: '0s', ANSWER_TIMEOUT: '60s' })
    const failures: ((error: Error) => void)[] = []
    const query = chat.database.query.bind(chat.database)
    const held: typeof query = (sql, values) =>
      sql.startsWith(LISTING) ? new Promise((_, reject) => failures.push(reject)) : query(sql, values)
    Object.assign(chat.database, { query: held })
    const leave = await ask(t, chat, chat.user('Ada'))
    while (failures.length < RUNNING) await sleep(10)
    leave()
    while ((await connections(chat)) > 0) await sleep(10)
    for (const fail of failures) fail(new Error('the disk is gone'))
    const failed = () => chat.lines.filter(({ level }) => level === 'error')
    while (failed().length < RUNNING) await sleep(10)
    await chat.app.close()
    t.match(failed(), Array(RUNNING).fill({ event: 'failed', code: 'internal_error' }))
    t.match(JSON.stringify(failed()), /the disk is gone/)
    t.equal(failed().length, RUNNING)
    t.equal(failures.length, RUNNING, 'the third part was not begun')
  })
}

async function connections({ app: { server } }: Chat): Promise<number> {
  const counted = once(server, 'counted')
  server.getConnections((_, count) => server.emit('counted', count))
  return (await counted)[0]
}
