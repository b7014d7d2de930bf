import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { follow } from '@latchkey/events/emit'
import { between } from '@latchkey/testing/between'
import { runAsOwner } from '@latchkey/testing/database'
import t, { type Test } from 'tap'
import type { Batch } from '../src/live/batch.ts'
import { Feed } from '../src/live/feed.ts'
import { Live } from '../src/live/live.ts'
import type { NoticeListener, Notices } from '../src/live/notices.ts'
import type { Sink } from '../src/live/subscription.ts'
import { type Chat, makeRoom, startChat, type User } from './app.ts'

/** A listener that keeps what it gets; `taken` lets a slow one take it. */
class Listener extends EventTarget implements Sink {
  readonly user_id: string
  readonly seqs: number[] = []
  readonly told: string[] = []
  busy = false
  good = true
  taking: Promise<unknown> = Promise.resolve()

  constructor(user: User) {
    super()
    this.user_id = user.id
  }
  isGood = () => this.good
  isBusy = () => this.busy
  inTurn = <T>(work: () => Promise<T>) => work()
  async deliver(batch: Batch) {
    this.seqs.push(...batch.events.map(({ seq }) => seq))
    this.dispatchEvent(new Event('more'))
    await this.taking
  }
  synced = (seq: number) => this.#tell(`synced ${seq}`)
  ended = (reason: string) => this.#tell(reason)
  reset = (head: number) => this.#tell(`reset ${head}`)
  #tell(text: string) {
    this.told.push(text)
    this.dispatchEvent(new Event('more'))
  }
  async until(isThere: (listener: this) => boolean) {
    while (!isThere(this)) await once(this, 'more')
  }
}

function openLive(t: Test, chat: Chat, interval = 60, notices?: (listener: NoticeListener) => Notices): Live {
  const log = { warn: (details: object) => t.fail('a warning', details) }
  const live = new Live({ database: chat.database, log, interval, ...(notices && { notices }) })
  t.teardown(() => live.close())
  return live
}

async function listen(live: Live, room: string, user: User, after: number, since = 0) {
  const sink = new Listener(user)
  const opened = await live.subscribe({ room, sink, head: 0, since })
  opened.start(after)
  return { sink, opened }
}

/** Adds messages by SQL, as another instance would. */
async function write(chat: Chat, room: string, count: number): Promise<void> {
  await chat.database.query(
    `WITH h AS (UPDATE heads SET last_seq = last_seq + $2 WHERE room_id = $1 RETURNING last_seq - $2 AS before)
     INSERT INTO events (room_id, seq, kind, actor_id, actor_name, client_id, text)
     SELECT $1, before + n, 'message', gen_random_uuid(), 'Eve', gen_random_uuid(), 'x' FROM h, generate_series(1, $2::int) n`,
    [room, count]
  )
}

/** A room of Ada's, and a listener of hers who has everything so far. */
async function upToDate(t: Test, interval?: number) {
  const chat = await startChat(t)
  const ada = chat.user('Ada')
  const room = await makeRoom(chat, ada)
  const live = openLive(t, chat, interval)
  const { sink } = await listen(live, room, ada, 1)
  await sink.until(({ told }) => told.length > 0)
  const event = (seq: number, at = Date.now()) => {
    const actor = { user_id: ada.id, username: 'Ada' }
    return { seq, kind: 'message' as const, created_at: new Date(at).toISOString(), actor, text: 'x' }
  }
  return { chat, room, live, sink, event }
}

const upTo = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, n) => first + n)

t.test('who comes late gets all of it once and in order, then what happens, whoever wrote it', async (t) => {
  const chat = await startChat(t)
  const ada = chat.user('Ada')
  const room = await makeRoom(chat, ada)
  await write(chat, room, 450)
  const live = openLive(t, chat, 0.1)
  const { sink } = await listen(live, room, ada, 0)
  await sink.until(({ told }) => told.length > 0)
  t.strictSame([sink.told, sink.seqs], [['synced 451'], upTo(1, 451)])
  await write(chat, room, 3)
  await sink.until(({ seqs }) => seqs.length === 454)
  t.strictSame(sink.seqs, upTo(1, 454))
  t.strictSame(sink.told, ['synced 451'], 'once')
})

t.test('what is committed here is delivered at once, and a hole is filled from the table', async (t) => {
  const { chat, room, live, sink, event } = await upToDate(t)
  live.committed(room, [event(2)])
  t.strictSame(sink.seqs, [2], 'in the same turn')
  // Another instance wrote 2 to 4; here 5 was committed.
  await write(chat, room, 4)
  live.committed(room, [event(5)])
  t.strictSame(sink.seqs, [2], 'not before what comes before it')
  await sink.until(({ seqs }) => seqs.length === 4)
  t.strictSame(sink.seqs, [2, 3, 4, 5])
  live.committed(room, [event(5), event(4)])
  t.strictSame(sink.seqs, [2, 3, 4, 5], 'nothing twice')
})

t.test('the age of a delivery is that of the event that has waited longest', async (t) => {
  const { room, live, event } = await upToDate(t)
  const now = Date.now()
  const told: number[] = []
  t.teardown(follow(({ name, fields }) => name === 'events_delivered' && void told.push(fields.age)))
  live.committed(room, [event(2, now - 5000), event(3, now)])
  await setImmediate()
  t.equal(told.length, 1)
  between(t, told[0], { least: 5, most: 60 })
})

t.test('a notice of another instance makes it look, and a wrong one does no harm', async (t) => {
  const chat = await startChat(t)
  const ada = chat.user('Ada')
  const room = await makeRoom(chat, ada)
  let tell: NoticeListener | undefined
  const published: string[] = []
  const live = openLive(t, chat, 60, (listener) => {
    tell = listener
    return { publish: (_, seq) => published.push(`${seq}`), subscribe: async () => {}, unsubscribe: () => {} }
  })
  const { sink } = await listen(live, room, ada, 1)
  tell?.hint(room, 1_000_000)
  tell?.hint(randomUUID(), 5)
  await write(chat, room, 2)
  tell?.hint(room, 3)
  await sink.until(({ seqs }) => seqs.length === 2)
  t.strictSame(sink.seqs, [2, 3])
  await write(chat, room, 1)
  tell?.back()
  await sink.until(({ seqs }) => seqs.length === 3)
  t.strictSame(published, [])
})

t.test('the removed get the event of their removal and nothing after it, also while they catch up', async (t) => {
  const chat = await startChat(t)
  const [ada, bob] = [chat.user('Ada'), chat.user('Bob')]
  const room = await makeRoom(chat, ada)
  const path = `/rooms/${room}`
  await chat.send(bob, `POST ${path}/join`)
  const live = openLive(t, chat, 0.1)
  const now = await listen(live, room, bob, 2, 2)
  await now.sink.until(({ told }) => told.length > 0)
  await chat.send(ada, `DELETE ${path}/members/${bob.id}`)
  await write(chat, room, 2)
  await now.sink.until(({ told }) => told.includes('kicked'))
  t.strictSame(now.sink.seqs, [3])
  const late = await listen(live, room, bob, 0, 2)
  await late.sink.until(({ told }) => told.length > 0)
  t.strictSame([late.sink.seqs, late.sink.told], [[1, 2, 3], ['kicked']])
  await chat.send(bob, `POST ${path}/join`)
  const again = await listen(live, room, bob, 0, 6)
  await again.sink.until(({ told }) => told.length > 0)
  t.strictSame([again.sink.seqs, again.sink.told], [upTo(1, 6), ['synced 6']], 'a removal of before is not theirs')
  await chat.send(ada, `DELETE ${path}`)
  await again.sink.until(({ told }) => told.includes('room_closed'))
  t.equal(again.sink.seqs.at(-1), 7)
})

t.test('a slow reader falls behind, costs no memory, and gets everything in the end', async (t) => {
  const { chat, room, live, sink } = await upToDate(t, 0.1)
  let take = () => {}
  sink.taking = new Promise<void>((resolve) => {
    take = resolve
  })
  sink.busy = true
  await write(chat, room, 700)
  await sink.until(({ seqs }) => seqs.length > 0)
  await write(chat, room, 300)
  await sleep(300)
  t.ok(sink.seqs.length <= 200, `a page waits to be taken, not all: ${sink.seqs.length}`)
  t.match(live.counts(), { rooms: 1, subscriptions: 1, behind: 1 })
  sink.busy = false
  take()
  await sink.until(({ seqs }) => seqs.length === 1000)
  t.strictSame(sink.seqs, upTo(2, 1001))
  await sleep(0)
  t.match(live.counts(), { behind: 0 })
})

t.test('nothing is delivered to whose token is good no more', async (t) => {
  const chat = await startChat(t)
  const ada = chat.user('Ada')
  const room = await makeRoom(chat, ada)
  const live = openLive(t, chat, 0.1)
  const [gone, here] = [await listen(live, room, ada, 1), await listen(live, room, ada, 1)]
  await here.sink.until(({ told }) => told.length > 0)
  gone.sink.good = false
  await write(chat, room, 2)
  await here.sink.until(({ seqs }) => seqs.length === 2)
  t.strictSame(gone.sink.seqs, [])
})

t.test('after a restore all who listen begin anew', async (t) => {
  const chat = await startChat(t)
  const ada = chat.user('Ada')
  const room = await makeRoom(chat, ada)
  await write(chat, room, 9)
  const live = openLive(t, chat, 0.1)
  const stream = await live.stream()
  const { sink } = await listen(live, room, ada, 10)
  await sink.until(({ told }) => told.length > 0)
  await runAsOwner(
    chat.url,
    'UPDATE stream SET id = gen_random_uuid(); UPDATE heads SET last_seq = 4; DELETE FROM events WHERE seq > 4'
  )
  await sink.until(({ told }) => told.includes('reset 4'))
  t.not(await live.stream(), stream)
  await write(chat, room, 2)
  await sink.until(({ seqs }) => seqs.length === 2)
  t.strictSame(sink.seqs, [5, 6])
})

t.test('the last listener who goes takes the feed of the room along', async (t) => {
  const chat = await startChat(t)
  const ada = chat.user('Ada')
  const room = await makeRoom(chat, ada)
  const asked: string[] = []
  const live = openLive(t, chat, 60, () => ({
    publish: () => {},
    subscribe: async () => void asked.push('subscribe'),
    unsubscribe: () => asked.push('unsubscribe')
  }))
  const first = await listen(live, room, ada, 1)
  const second = await listen(live, room, ada, 1)
  first.opened.close()
  t.match(live.counts(), { rooms: 1, subscriptions: 1 })
  second.opened.close()
  second.opened.close()
  t.match(live.counts(), { rooms: 0, subscriptions: 0 })
  t.strictSame(asked, ['subscribe', 'unsubscribe'])
})

t.test('what is kept for those who come back is bounded in number and in size', async (t) => {
  const actor = { user_id: randomUUID(), username: 'Ada' }
  const event = (seq: number, text: string) => ({ seq, kind: 'message' as const, created_at: '', actor, text })
  const reads: number[] = []
  const feed = new Feed(
    'room',
    async (after) => {
      reads.push(after)
      return []
    },
    (error) => t.fail(String(error))
  )
  feed.begin(0)
  const oldest = async () => {
    for (let after = 0; ; after += 1) {
      reads.length = 0
      const page = await feed.page(after, new AbortController().signal)
      if (reads.length === 0) return page[0]?.seq
    }
  }
  feed.offer(upTo(1, 300).map((seq) => event(seq, 'x')))
  t.equal(await oldest(), 45, 'the last 256')
  feed.offer(upTo(301, 320).map((seq) => event(seq, 'x'.repeat(4000))))
  t.equal(await oldest(), 305, 'the last 64 Ki characters')
})

t.test('much that comes at once goes out in parts, so that a slow reader has little waiting', async (t) => {
  const chat = await startChat(t)
  const ada = chat.user('Ada')
  const room = await makeRoom(chat, ada)
  const live = openLive(t, chat)
  const { sink } = await listen(live, room, ada, 1)
  await sink.until(({ told }) => told.length > 0)
  const sizes: number[] = []
  const deliver = sink.deliver.bind(sink)
  sink.deliver = async (batch) => {
    sizes.push(batch.frame.length)
    await deliver(batch)
  }
  const actor = { user_id: ada.id, username: 'Ada' }
  const text = 'x'.repeat(4000)
  live.committed(
    room,
    upTo(2, 41).map((seq) => ({ seq, kind: 'message' as const, created_at: '', actor, text }))
  )
  t.strictSame(sink.seqs, upTo(2, 41))
  t.ok(sizes.length >= 5 && Math.max(...sizes) < 40_000, `parts of ${sizes}`)
})
