import { once } from 'node:events'
import t from 'tap'
import { type Chat, startChat } from './app.ts'
import { dialGraphql } from './graphql-socket.ts'
import { connect } from './socket.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const headers = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` }

/** What was logged of a refusal on a socket and of its end, once both are there. */
async function tracesOf(chat: Chat): Promise<unknown[]> {
  await chat.app.close()
  const lines = chat.lines.filter(({ event }) => event === 'refused' || event === 'socket_closed')
  return lines.map(({ event, trace_id }) => [event, trace_id])
}

const EXPECTED = [
  ['refused', TRACE],
  ['socket_closed', TRACE]
]

t.test('the lines of a socket have the trace of its handshake', async (t) => {
  const chat = await startChat(t, { DRAIN_TIME: '0s' })
  const client = await connect(t, chat, chat.user('Ada'), { headers })
  t.match(await client.ask('join', { room: crypto.randomUUID() }), { type: 'error', code: 'not_found' })
  client.socket.close()
  await client.closed
  t.same(await tracesOf(chat), EXPECTED)
})

t.test('those of a socket of GraphQL do too', async (t) => {
  const chat = await startChat(t, { DRAIN_TIME: '0s' })
  const client = await dialGraphql(t, chat, { headers })
  await once(client.socket, 'open')
  await client.greet({ token: chat.user('Ada').token })
  const query = 'mutation ($room: ID!) { leaveRoom(room: $room) }'
  t.match(await client.ask(query, { room: crypto.randomUUID() }), {
    payload: { errors: [{ extensions: { code: String } }] }
  })
  client.socket.close()
  await once(client.socket, 'close')
  t.same(await tracesOf(chat), EXPECTED)
})
