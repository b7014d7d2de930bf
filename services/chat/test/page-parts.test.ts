// The parts of the page that need no browser.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { answerTo } from '../page/net/closes.js'
import { pauseAfter, renewalLead } from '../page/net/pauses.js'
import { Refusal } from '../page/net/requests.js'
import { placeBeside, readHash } from '../page/place.js'
import { ChatRoom } from '../page/rooms/chat-room.js'
import { Outbox } from '../page/rooms/outbox.js'
import { mayDo } from '../page/rooms/rights.js'
import { RoomLog } from '../page/rooms/room-log.js'
import { Signal } from '../page/signal.js'
import { decide, ROLES } from '../src/rules.ts'

// As a URL, because its types are those of a browser.
const { Watching } = await import(new URL('../page/rooms/watching.js', import.meta.url).href)

const ADA = { user_id: 'a', username: 'Ada' }
const BOB = { user_id: 'b', username: 'Bob' }
const event = (seq: number, more: object = {}) => ({
  seq,
  kind: 'message',
  created_at: '2026-01-01T10:00:00Z',
  actor: ADA,
  text: `text ${seq}`,
  ...more
})
const seqs = (log: RoomLog) => log.entries.map(({ seq }) => seq)

function logAt(head: number): RoomLog {
  const log = new RoomLog()
  log.begin(head, 'stream')
  return log
}

t.test('of a room’s log each event is taken once, in order, and what is sent again is left out', async (t) => {
  const log = logAt(10)
  t.strictSame(
    log.take([event(11), event(12)]).fresh.map(({ seq }) => seq),
    [11, 12]
  )
  t.strictSame(
    log.take([event(11), event(12), event(13)]).fresh.map(({ seq }) => seq),
    [13]
  )
  t.equal(log.after, 13)
  t.strictSame(log.take([event(15)]), { fresh: [], isGap: true }, 'a gap is noticed')
  t.equal(log.after, 13, 'and not passed over')
  t.equal(log.take([event(14, { kind: 'something_new' })]).fresh.length, 1)
  t.equal(log.after, 14, 'an unknown kind is counted')
})

t.test('a page of the history fits between what came meanwhile, each message once', async (t) => {
  const log = logAt(10)
  log.take([event(11, { kind: 'joined' }), event(12)])
  log.addHistory([event(8), event(9), event(12), event(13)], 8)
  t.strictSame(seqs(log), [8, 9, 11, 12, 13])
  t.equal(log.take([event(13)]).fresh.length, 1, 'it is processed, though it is shown already')
  t.strictSame(seqs(log), [8, 9, 11, 12, 13])
  log.addHistory([event(1)], null)
  t.equal(log.older, null)
  log.trim(2)
  t.strictSame([seqs(log), log.older], [[12, 13], 12], 'what is forgotten can be read again')
})

t.test('a deleted message has no text, also if a page of the history is older than the deletion', async (t) => {
  const log = logAt(10)
  log.take([event(11), event(12, { kind: 'deleted', target_seq: 11 }), event(13, { kind: 'deleted', target_seq: 9 })])
  log.addHistory([event(9), event(11)], null)
  t.match(log.find(11), { text: null, deleted: true })
  t.match(log.find(9), { text: null, deleted: true })
})

t.test('a room follows its events: who is in it, what one is oneself, and why one no longer is', async (t) => {
  const room = new ChatRoom({ id: 'r', name: 'Tea', visibility: 'public', closed: false, head: 1, role: 'member' })
  room.apply(event(2, { kind: 'joined', actor: BOB }), 'a')
  t.strictSame([...room.members.values()], [{ ...BOB, role: 'member' }])
  room.apply(event(3, { kind: 'role', actor: BOB, target: ADA, role: 'moderator' }), 'a')
  t.equal(room.role, 'moderator')
  room.apply(event(4, { kind: 'renamed', name: 'Coffee' }), 'a')
  t.equal(room.name, 'Coffee')
  room.apply(event(5, { kind: 'banned', actor: BOB, target: ADA }), 'a')
  t.match(room, { role: null, gone: { kind: 'banned', by: 'Bob' } })
  room.apply(event(6, { kind: 'joined' }), 'a')
  t.match(room, { role: 'member', gone: null })
  room.apply(event(7, { kind: 'closed' }), 'a')
  t.ok(room.isClosed)
})

t.test('a message keeps its client_id in all tries, and they go one after the other', async (t) => {
  const sent: { client_id: string; text: string }[] = []
  let answer: (message: { client_id: string }) => Promise<object> = () => Promise.reject(new Refusal('offline', ''))
  const outbox = new Outbox((_type: string, message: object) => {
    sent.push(message as (typeof sent)[0])
    return answer(message as (typeof sent)[0])
  })
  outbox.add('r', 'one')
  await sleep(0)
  outbox.add('r', 'two')
  await sleep(0)
  t.strictSame(
    outbox.of('r').map(({ text, state }) => [text, state]),
    [
      ['one', 'waiting'],
      ['two', 'waiting']
    ]
  )
  answer = async ({ client_id }) => {
    if (client_id === outbox.of('r')[1]?.client_id) throw new Refusal('too_many_requests', 'Wait.', { retryAfter: 5 })
    return { seq: 7 }
  }
  sent.length = 0
  await outbox.flush()
  t.strictSame(
    sent.map(({ client_id }) => client_id),
    outbox.of('r').map(({ client_id }) => client_id)
  )
  t.match(outbox.of('r'), [
    { state: 'sent', seq: 7 },
    { state: 'refused', reason: 'Too many messages at once. Try again in 5 seconds.' }
  ])
  outbox.settle('r', { after: 7, entries: [] }, 'a')
  t.match(outbox.of('r'), [{ text: 'two' }], 'what is in the log is here no more')
  answer = async () => ({ seq: 8 })
  const [two] = outbox.of('r')
  if (two) outbox.retry(two)
  await sleep(0)
  t.equal(sent.at(-1)?.client_id, two?.client_id)
  outbox.settle('r', { after: 7, entries: [event(8, { client_id: two?.client_id })] }, 'a')
  t.strictSame(outbox.unsent, [])
})

t.test('a service that cannot take a message now gets it again by itself', async (t) => {
  let tries = 0
  const outbox = new Outbox(async () => {
    tries += 1
    if (tries === 1) throw new Refusal('unavailable', '', { retryAfter: 0.01 })
    return { seq: 1 }
  })
  const sent = new Promise<void>((resolve) => outbox.changed.on(() => outbox.unsent[0]?.state === 'sent' && resolve()))
  outbox.add('r', 'one')
  await sent
  t.equal(tries, 2)
})

t.test('the page offers exactly what the rules allow', async (t) => {
  const removals = ['kick', 'ban', 'unban'] as const
  const others = ['send', 'leave', 'delete_own', 'delete_other', 'invite', 'set_role', 'rename', 'close'] as const
  const both = [false, true]
  const standings = [...ROLES, null].flatMap((role) =>
    both.flatMap((isAdmin) =>
      both.flatMap((isClosed) => [...ROLES, undefined].map((target) => ({ role, isAdmin, isClosed, target })))
    )
  )
  for (const right of [...removals, ...others]) {
    for (const standing of standings) {
      const whole = { ...standing, role: standing.role ?? undefined, isPublic: true, isBanned: false }
      t.equal(mayDo(right, standing), decide(right, whole) === 'yes', `${right} ${JSON.stringify(standing)}`)
    }
  }
})

t.test('pauses grow from a second to half a minute; a token is renewed in good time', async (t) => {
  t.strictSame(
    [0, 1, 4, 5, 6, 60].map((tries) => pauseAfter(tries, () => 1)),
    [1000, 2000, 16_000, 30_000, 30_000, 30_000]
  )
  t.equal(
    pauseAfter(9, () => 0),
    0
  )
  t.strictSame(
    [0, 1].map((chance) => renewalLead(900_000, () => chance)),
    [10_000, 25_000]
  )
  t.equal(
    renewalLead(6000, () => 1),
    2000,
    'with a third of a short life left'
  )
})

t.test('the page knows what to do at every close code', async (t) => {
  const retries = [1001, 1002, 1003, 1006, 1007, 1009, 1011, 1013]
  for (const code of retries) t.equal(answerTo(code), 'retry', String(code))
  t.strictSame([1008, 4401, 4403].map(answerTo), ['rest', 'renew', 'sign in'])
})

t.test('under another name of this machine the page moves to the one of the auth service', async (t) => {
  const auth = 'http://127.0.0.1:9090'
  t.equal(placeBeside('http://localhost:8090/#room=1&code=2', auth), 'http://127.0.0.1:8090/#room=1&code=2')
  t.equal(placeBeside('http://127.0.0.1:8090/', 'http://localhost:9090'), 'http://localhost:8090/')
  for (const here of ['http://127.0.0.1:8090/', 'http://192.168.1.7:8090/', 'https://chat.example.com/']) {
    t.equal(placeBeside(here, auth), undefined, here)
  }
  t.equal(placeBeside('http://localhost:8090/', 'https://auth.example.com'), undefined)
  t.strictSame(readHash('#room=1&code=2'), { room: '1', code: '2' })
  t.strictSame(readHash(''), {})
})

t.test(
  'a room that one heard as an administrator alone is lost with that role, and one that one has joined is not',
  async (t) => {
    const [told, changed, altered, listed] = [new Signal(), new Signal(), new Signal(), new Signal()]
    const [mine, other] = ['mine', 'other'].map((id) => {
      const room = new ChatRoom({ id, name: 'Tea', visibility: 'private', closed: false, head: 1, role: 'member' })
      return Object.assign(room, { watch: 'live' as const })
    }) as [ChatRoom, ChatRoom]
    const request = async (_type: string, { room }: { room: string }) => {
      if (room === other.id) throw new Refusal('not_found', '')
      return { head: 1, stream: 's' }
    }
    const rooms = new Map([mine, other].map((room) => [room.id, room]))
    new Watching({ rooms, altered, listed, connection: { told, changed, request } })
    for (const room of [mine.id, other.id]) told.emit({ type: 'unsubscribed', room, reason: 'demoted' })
    await sleep(0)
    t.match(mine, { watch: 'behind', gone: null, role: 'member' })
    t.match(other, { watch: 'none', gone: { kind: 'lost' }, role: null })
  }
)
