import { randomUUID } from 'node:crypto'
import { between } from '@latchkey/testing/between'
import type { Answer } from '@latchkey/testing/problem'
import t from 'tap'
import { type Chat, makeRoom, startChat, type User } from './app.ts'

// Two instances with one database. Users are new in each trial, so that no limit of a user is met.
const ENV = { MESSAGES_PER_MINUTE: '100000' }
const first = await startChat(t, ENV)
const second = await startChat(t, ENV, first)
const INSTANCES = [first, second]

const times = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n))
const upTo = (last: number) => times(last, (n) => n + 1)
const codes = (answers: readonly Answer[]) => answers.map(({ status, body }) => body?.code ?? status).sort()

function say(chat: Chat, user: User, room: string, client_id: string = randomUUID()): Promise<Answer> {
  return chat.send(user, `POST /rooms/${room}/messages`, { client_id, text: 'x' })
}

/** The kinds of the events of a room with who did it, in the order of their numbers, which have no gap. */
async function logOf(room: string): Promise<string[]> {
  const rows = await first.database.query<{ seq: number; kind: string; actor_name: string }>(
    'SELECT seq, kind, actor_name FROM events WHERE room_id = $1 ORDER BY seq',
    [room]
  )
  const [head] = await first.database.query('SELECT last_seq FROM heads WHERE room_id = $1', [room])
  t.strictSame([rows.map(({ seq }) => seq), head], [upTo(rows.length), { last_seq: rows.length }], 'no gap')
  return rows.map(({ kind, actor_name }) => `${kind} ${actor_name}`)
}

/** A room with an owner and others, each of whom has joined. */
async function roomOf(owner: User, ...others: User[]): Promise<string> {
  const room = await makeRoom(first, owner)
  for (const other of others) await first.send(other, `POST /rooms/${room}/join`)
  return room
}

t.test('of a hundred messages, each sent four times at once by two instances, each is there once', async (t) => {
  const users = times(10, (n) => first.user(`User ${n}`))
  const room = await roomOf(first.user('Ada'), ...users)
  const ids = times(100, () => randomUUID())
  const answers = await Promise.all(
    ids.flatMap((id, n) => times(4, (k) => say(INSTANCES[k % 2] as Chat, users[n % 10] as User, room, id)))
  )
  t.strictSame(codes(answers), [...times(300, () => 200), ...times(100, () => 201)])
  const bySent = times(100, (n) => new Set(answers.slice(n * 4, n * 4 + 4).map(({ body }) => body.seq)))
  t.ok(
    bySent.every(({ size }) => size === 1),
    'one number each'
  )
  t.equal(new Set(bySent.flatMap((seqs) => [...seqs])).size, 100)
  t.equal((await logOf(room)).length, 11 + 100)
})

// What ends a right, by whom, while it is being used: [name, how it ends, how it is used, the event of each].
const ENDS = {
  'a kick': {
    end: (room: string, bob: User) => `DELETE /rooms/${room}/members/${bob.id}`,
    log: ['kicked Ada', 'message Bob'],
    code: 'not_a_member'
  },
  'a ban': {
    end: (room: string, bob: User) => `PUT /rooms/${room}/bans/${bob.id}`,
    log: ['banned Ada', 'message Bob'],
    code: 'not_a_member'
  },
  'the end of a room': {
    end: (room: string) => `DELETE /rooms/${room}`,
    log: ['closed Ada', 'message Bob'],
    code: 'room_closed'
  }
} as const

for (const [name, { end, log, code }] of Object.entries(ENDS)) {
  t.test(`after ${name} there is no message, however many are on their way`, async (t) => {
    let [taken, refused] = [0, 0]
    for (let trial = 0; trial < 20; trial += 1) {
      const [ada, bob] = [first.user('Ada'), first.user('Bob')]
      const room = await roomOf(ada, bob)
      const asked = times(8, (n) => say(INSTANCES[n % 2] as Chat, bob, room))
      const ending = first.send(ada, end(room, bob))
      const answers = await Promise.all([...asked, ...times(8, (n) => say(INSTANCES[n % 2] as Chat, bob, room))])
      t.equal((await ending).status, 204)
      const events = await logOf(room)
      t.strictSame(events.slice(events.indexOf(log[0]) + 1), [], 'it is the last')
      const there = answers.filter(({ status }) => status === 201).length
      t.equal(events.filter((event) => event === log[1]).length, there, 'what was acknowledged is there')
      t.strictSame([...new Set(codes(answers).filter((answer) => answer !== 201))].join() || code, code)
      taken += there
      refused += 16 - there
    }
    between(t, taken, { least: 1 }, 'some came before')
    between(t, refused, { least: 1 }, 'and some after')
  })
}

t.test('after a role is lowered its rights are not used', async (t) => {
  for (let trial = 0; trial < 20; trial += 1) {
    const [ada, bob] = [first.user('Ada'), first.user('Bob')]
    const others = times(4, () => first.user('Eve'))
    const room = await roomOf(ada, bob, ...others)
    await first.send(ada, `PUT /rooms/${room}/members/${bob.id}`, { role: 'moderator' })
    const kick = (other: User, n: number) =>
      (INSTANCES[n % 2] as Chat).send(bob, `DELETE /rooms/${room}/members/${other.id}`)
    const before = others.slice(0, 2).map(kick)
    const lowering = second.send(ada, `PUT /rooms/${room}/members/${bob.id}`, { role: 'member' })
    const answers = await Promise.all([...before, ...others.slice(2).map(kick)])
    t.equal((await lowering).status, 200)
    const events = await logOf(room)
    t.strictSame(events.slice(events.lastIndexOf('role Ada') + 1), [])
    t.equal(
      events.filter((event) => event === 'kicked Bob').length,
      answers.filter(({ status }) => status === 204).length
    )
  }
})

t.test('of two owners who lower each other at once one wins, and none waits for the other for ever', async (t) => {
  for (let trial = 0; trial < 40; trial += 1) {
    const [ada, bob] = [first.user('Ada'), first.user('Bob')]
    const room = await roomOf(ada, bob)
    await first.send(ada, `PUT /rooms/${room}/members/${bob.id}`, { role: 'owner' })
    const lower = (chat: Chat, by: User, whom: User) =>
      chat.send(by, `PUT /rooms/${room}/members/${whom.id}`, { role: 'member' })
    const answers = await Promise.all([lower(first, ada, bob), lower(second, bob, ada)])
    t.strictSame(codes(answers), [200, 'insufficient_role'])
  }
})

t.test('two administrators who kick each other at once both end, and so do those who join meanwhile', async (t) => {
  for (let trial = 0; trial < 20; trial += 1) {
    const [ada, bob] = [first.user('Ada', { roles: ['admin'] }), first.user('Bob', { roles: ['admin'] })]
    const room = await roomOf(first.user('Cyd'), ada, bob)
    const kick = (chat: Chat, by: User, whom: User) => chat.send(by, `DELETE /rooms/${room}/members/${whom.id}`)
    const joins = times(4, (n) => (INSTANCES[n % 2] as Chat).send(first.user('Eve'), `POST /rooms/${room}/join`))
    const answers = await Promise.all([kick(first, ada, bob), kick(second, bob, ada), ...joins])
    t.strictSame(codes(answers), [200, 200, 200, 200, 204, 204])
    t.equal((await logOf(room)).length, 3 + 4 + 2)
  }
})

t.test('who is banned while they join is out in the end', async (t) => {
  for (let trial = 0; trial < 20; trial += 1) {
    const [ada, bob] = [first.user('Ada'), first.user('Bob')]
    const room = await roomOf(ada)
    const [joined, banned] = await Promise.all([
      second.send(bob, `POST /rooms/${room}/join`),
      first.send(ada, `PUT /rooms/${room}/bans/${bob.id}`)
    ])
    t.equal(banned?.status, 204)
    t.match(joined?.body.code ?? joined?.status, /^(200|banned)$/)
    const rows = await first.database.query('SELECT FROM members WHERE room_id = $1 AND user_id = $2', [room, bob.id])
    t.strictSame(rows, [])
    await logOf(room)
  }
})
