// Rooms on sockets: what is missed, what comes, and what ends.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { runAsOwner } from '@latchkey/testing/database'
import t from 'tap'
import { type Chat, makeRoom, startChat, type User } from './app.ts'
import { type Client, connect, type Received } from './socket.ts'

const NOW = { DRAIN_TIME: '0s', MESSAGES_PER_MINUTE: '10000' }
const chat = await startChat(t, NOW)

/** The connections of the service, in their order. */
const connections: Socket[] = []
chat.app.server.on('connection', (socket) => connections.push(socket))

/** Adds messages by SQL, as another instance would. */
async function write(of: Chat, room: string, count: number, text = 'x'): Promise<void> {
  await of.database.query(
    `WITH h AS (UPDATE heads SET last_seq = last_seq + $2 WHERE room_id = $1 RETURNING last_seq)
     INSERT INTO events (room_id, seq, kind, actor_id, actor_name, client_id, text)
     SELECT $1, last_seq - $2 + n, 'message', gen_random_uuid(), 'Cyd', gen_random_uuid(), $3
     FROM h, generate_series(1, $2::int) AS n`,
    [room, count, text]
  )
}

async function join(user: User, room: string): Promise<void> {
  await chat.send(user, `POST /rooms/${room}/join`)
}

const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, index) => first + index)

async function send(client: Client, room: string): Promise<number> {
  return (await client.ask('send', { room, client_id: randomUUID(), text: 'x' }))['seq']
}

t.test('what was missed comes in order, then once that it is all, then what happens', async (t) => {
  const ada = chat.user('Ada')
  const room = await makeRoom(chat, ada)
  await write(chat, room, 900)
  const client = await connect(t, chat, ada)
  t.match(await client.ask('subscribe', { room, after: 0 }), { type: 'ok', head: 901 })
  t.match(await client.next('synced'), { room, seq: 901 })
  await send(client, room)
  await client.until(({ events }) => events?.at(-1).seq === 902)
  t.same(client.seqs(room), upTo(902))
  const order = client.messages.map(({ type }) => type).filter((type, index, all) => type !== all[index - 1])
  t.same(order.slice(0, 4), ['hello', 'ok', 'events', 'synced'])
})

t.test('without a number it begins at the head, and again it begins anew', async (t) => {
  const ada = chat.user('Ada')
  const room = await makeRoom(chat, ada)
  await write(chat, room, 5)
  const client = await connect(t, chat, ada)
  t.match(await client.ask('subscribe', { room }), { head: 6 })
  t.match(await client.next('synced'), { seq: 6 })
  t.same(client.seqs(room), [])
  await client.ask('subscribe', { room, after: 3 })
  t.match(await client.next('synced'), { seq: 6 })
  t.same(client.seqs(room), [4, 5, 6])
  await send(client, room)
  await client.until(({ events }) => events?.at(-1).seq === 7)
  t.same(client.seqs(room), [4, 5, 6, 7], 'and what happens comes once')
  await client.ask('unsubscribe', { room })
  await send(client, room)
  await client.ask('ping')
  t.same(client.seqs(room), [4, 5, 6, 7], 'nothing of the room')
  t.match(await client.ask('unsubscribe', { room }), { type: 'ok' })
})

t.test('who has what cannot be, or too little, is told to begin anew from the head', async (t) => {
  const ada = chat.user('Ada')
  const room = await makeRoom(chat, ada)
  const client = await connect(t, chat, ada)
  const { stream } = client.messages[0] as Received
  for (const input of [{ after: 9 }, { after: 0, stream: randomUUID() }]) {
    const from = client.messages.length
    const { head } = await client.ask('subscribe', { room, ...input })
    t.match(await client.next('synced'), { seq: head })
    const [, reset] = client.messages.slice(from)
    t.match(reset, { type: 'reset', room, head, stream })
    await send(client, room)
    await client.until(({ events }) => events?.at(-1).seq === head + 1)
  }
  await client.ask('subscribe', { room, after: 0, stream: stream.toUpperCase() })
  t.same(client.messages.filter(({ type }) => type === 'reset').length, 2, 'the same log, however written')
  await write(chat, room, 10_000)
  await client.ask('subscribe', { room, after: 0 })
  await client.until(({ type, head }) => type === 'reset' && head > 10_000)
})

t.test('who is removed gets the event that says so, then that, then nothing', async (t) => {
  const [ada, bob] = [chat.user('Ada'), chat.user('Bob')]
  for (const [reason, act] of [
    ['kicked', (room: string) => chat.send(ada, `DELETE /rooms/${room}/members/${bob.id}`)],
    ['banned', (room: string) => chat.send(ada, `PUT /rooms/${room}/bans/${bob.id}`)],
    ['left', (room: string) => chat.send(bob, `POST /rooms/${room}/leave`)],
    ['room_closed', (room: string) => chat.send(ada, `DELETE /rooms/${room}`)]
  ] as const) {
    const room = await makeRoom(chat, ada)
    await join(bob, room)
    const [hers, his] = [await connect(t, chat, ada), await connect(t, chat, bob)]
    await his.ask('subscribe', { room })
    await act(room)
    t.match(await his.next('unsubscribed'), { room, reason })
    const kinds = his.messages.flatMap(({ events = [] }) => events).map(({ kind }: { kind: string }) => kind)
    t.same(kinds, [reason === 'room_closed' ? 'closed' : reason])
    if (reason !== 'room_closed') await send(hers, room)
    await his.ask('ping')
    t.same(his.seqs(room), [3])
    if (reason === 'kicked') {
      t.match(await his.ask('subscribe', { room, after: 0 }), { code: 'not_a_member' })
      await join(bob, room)
      await his.ask('subscribe', { room, after: 0 })
      t.match(await his.next('synced'), { seq: 5 }, 'an earlier removal does not end a later membership')
    }
    for (const { socket } of [hers, his]) socket.close()
  }
})

t.test('a socket listens to fifty rooms', async (t) => {
  const ada = chat.user('Ada')
  const client = await connect(t, chat, ada)
  const rooms = []
  for (let i = 0; i < 51; i += 1) rooms.push(await makeRoom(chat, chat.user(`Maker ${i}`), 'public'))
  const admin = await connect(t, chat, chat.user('Root', { roles: ['admin'] }))
  for (const room of rooms.slice(0, 50)) t.match(await admin.ask('subscribe', { room, after: 0 }), { type: 'ok' })
  t.match(await admin.ask('subscribe', { room: rooms[50] }), { code: 'limit_reached' })
  t.match(await admin.ask('subscribe', { room: rooms[3] }), { type: 'ok' }, 'one of them again')
  await admin.ask('unsubscribe', { room: rooms[7] })
  t.match(await admin.ask('subscribe', { room: rooms[50] }), { type: 'ok' })
  t.match(await client.ask('subscribe', { room: rooms[0] }), { code: 'not_a_member' })
})

t.test('a reader that stands still costs little, misses nothing, and nobody waits for it', async (t) => {
  const [ada, bob] = [chat.user('Ada'), chat.user('Bob')]
  const room = await makeRoom(chat, ada)
  await join(bob, room)
  const slow = await connect(t, chat, ada)
  const connection = connections.at(-1) as Socket
  const fast = await connect(t, chat, bob)
  for (const client of [slow, fast]) await client.ask('subscribe', { room })
  slow.socket.pause()
  let most = 0
  const text = 'x'.repeat(4000)
  for (let i = 0; i < 20; i += 1) {
    await write(chat, room, 200, text)
    const { seq } = await fast.ask('send', { room, client_id: randomUUID(), text })
    await fast.until(({ events }) => events?.at(-1).seq >= seq)
    most = Math.max(most, connection.writableLength)
  }
  t.ok(most > 0 && most < 2_000_000, `${most} of 16 million bytes wait for it`)
  slow.socket.resume()
  await slow.until(({ events }) => events?.at(-1).seq === 4022)
  t.same(slow.seqs(room), upTo(4022, 3))
  t.same(fast.seqs(room), upTo(4022, 3))
})

t.test('a restored database tells all who listen to begin anew', async (t) => {
  const own = await startChat(t, { ...NOW, CATCH_UP_INTERVAL: '100ms' })
  const ada = own.user('Ada')
  const room = await makeRoom(own, ada)
  const client = await connect(t, own, ada)
  await client.ask('subscribe', { room })
  await client.next('synced')
  await runAsOwner(own.url, 'UPDATE stream SET id = gen_random_uuid()')
  const reset = await client.next('reset')
  t.match(reset, { room, head: 1 })
  t.not(reset['stream'], client.messages[0]?.['stream'])
  t.equal((await client.ask('subscribe', { room, after: 1, stream: reset['stream'] }))['stream'], reset['stream'])
})

t.test('a stop sends all sockets away, after what they have asked was answered', async (t) => {
  const own = await startChat(t, { ...NOW, DRAIN_TIME: '300ms' })
  const users = Array.from({ length: 6 }, (_, i) => own.user(`User ${i}`))
  const room = await makeRoom(own, users[0] as User)
  const clients = []
  for (const user of users) {
    await own.send(user, `POST /rooms/${room}/join`)
    clients.push(await connect(t, own, user))
  }
  const asked = clients.map((client) => client.ask('send', { room, client_id: randomUUID(), text: 'x' }))
  await Promise.all(clients.map(({ socket }) => once(socket, 'message')))
  const begun = performance.now()
  const closing = own.app.close()
  t.equal((await Promise.all(asked)).filter(({ type }) => type === 'ok').length, clients.length)
  for (const client of clients) {
    t.same(await client.closed, { code: 1001, reason: 'shutdown' })
    const { reconnect_after_ms: after, ...told } = client.messages.at(-1) as Received
    t.same(told, { type: 'closing', code: 1001, reason: 'shutdown' })
    t.ok(Number.isInteger(after) && after >= 0 && after <= 3000)
  }
  t.ok(performance.now() - begun >= 200, 'not all at once')
  await closing
})

t.test('a silent socket is asked whether it is there, and cut if it is not', async (t) => {
  const own = await startChat(t, { ...NOW, HEARTBEAT: '1s' })
  const [ada, bob] = [own.user('Ada'), own.user('Bob')]
  const there = await connect(t, own, ada)
  const gone = await connect(t, own, bob)
  t.equal(there.messages[0]?.['heartbeat_ms'], 1000)
  const pinged = once(there.socket, 'ping')
  gone.socket.pause()
  await pinged
  const line = () => own.lines.find(({ event, user }) => event === 'socket_closed' && user === bob.id)
  while (!line()) await once(there.socket, 'ping')
  t.match(line(), { code: 1006 })
  t.match(await there.ask('ping'), { type: 'ok' }, 'who answers stays')
})
