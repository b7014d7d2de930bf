import { randomUUID } from 'node:crypto'
import t from 'tap'
import { makeRoom, startChat } from './app.ts'
import { connect } from './socket.ts'

const NOW = { DRAIN_TIME: '0s' }

t.test('a socket says hello, answers requests, and tells what happens in a room', async (t) => {
  const chat = await startChat(t, NOW)
  const [ada, bob] = [chat.user('Ada'), chat.user('Bob', { roles: ['user', 'guide'] })]
  const room = await makeRoom(chat, ada)
  const [hers, his] = [await connect(t, chat, ada), await connect(t, chat, bob)]
  const stream = await chat.database.query<{ id: string }>('SELECT id FROM stream')
  t.match(his.messages[0], {
    type: 'hello',
    user_id: bob.id,
    username: 'Bob',
    roles: ['user', 'guide'],
    expires_at: /^\d{4}-.*Z$/,
    stream: stream[0]?.id,
    heartbeat_ms: 25_000,
    limits: { frame_bytes: 65_536, text_length: 4000, messages_per_minute: 100, rooms_per_socket: 50 }
  })
  t.match(await his.ask('subscribe', { room }), { type: 'error', code: 'not_a_member' })
  t.match(await his.ask('join', { room }), { type: 'ok', room, name: 'Tea', role: 'member' })
  t.match(await hers.ask('subscribe', { room, after: 0 }), { type: 'ok', room, head: 2, stream: stream[0]?.id })
  t.match(await hers.next('synced'), { room, seq: 2 })
  t.match(await his.ask('subscribe', { room }), { type: 'ok', room, head: 2 })
  const client_id = randomUUID()
  const sent = await his.ask('send', { room, client_id, text: 'Hi' })
  t.match(sent, { type: 'ok', room, seq: 3, created_at: /Z$/, repeated: false })
  t.match(await his.ask('send', { room, client_id, text: 'Hi' }), { seq: 3, repeated: true })
  const heard = await hers.until(({ type, events }) => type === 'events' && events.at(-1).seq === 3)
  t.match(heard['events'].at(-1), { seq: 3, kind: 'message', text: 'Hi', client_id, actor: { user_id: bob.id } })
  t.same(hers.seqs(room), [1, 2, 3])
  t.match(await hers.ask('ping'), { type: 'ok', now: /Z$/ })
  t.same(Object.keys(await his.ask('unsubscribe', { room })), ['type', 'id'])
})
