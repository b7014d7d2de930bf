import { randomUUID } from 'node:crypto'
import { transact } from '@latchkey/audit/acting'
import { runAsOwner } from '@latchkey/testing/database'
import t, { type Test } from 'tap'
import { disableUser } from '../src/administration/actions.ts'
import { revokeEverybody } from '../src/sessions/revocation.ts'
import { advance, postponeStream, releaseStream, takeStream } from '../src/signals/lease.ts'
import { startSender } from '../src/signals/sender.ts'
import { addStream, listStreams, removeStream } from '../src/signals/streams.ts'
import { type Auth, ISSUER, PASSWORD, startAuth } from './app.ts'
import { ACCEPT, kindOf, type Pushed, type PushReceiver, refuse, startReceiver, verifySet } from './signal-receiver.ts'

/** Starts the sender of a service, until the end of the test. */
function runSender(t: Test, auth: Auth) {
  const sender = startSender({
    database: auth.database,
    access: auth.keys.access,
    issuer: ISSUER,
    log: auth.operator.log
  })
  t.teardown(() => sender.close())
  return sender
}

/** The service with one stream, whose sender runs, and numbers for new records. */
async function prepare(t: Test, { receiver, authorization = 'Bearer of-the-receiver' }: Prepared = {}) {
  const auth = await startAuth(t)
  const to = receiver ?? (await startReceiver(t))
  const stream = await add(auth, to.url, authorization)
  const send = () => runSender(t, auth)
  const number = () => auth.database.query('SELECT audit_seal(1000)')
  const find = (event: string) => auth.lines.filter((line) => line['event'] === event)
  return { auth, to, stream, send, number, find }
}

interface Prepared {
  readonly receiver?: PushReceiver
  readonly authorization?: string
}

async function add({ database }: Auth, endpoint: string, authorization: string): Promise<string> {
  const stream = { method: 'push', audience: 'https://receiver.example.com', endpoint, authorization } as const
  const added = await database.transaction((connection) => addStream(connection, stream))
  return added?.id ?? ''
}

async function keysOf({ send }: Auth) {
  return (await send('GET /.well-known/jwks.json')).body.keys
}

async function read(auth: Auth, pushed: readonly Pushed[]) {
  const keys = await keysOf(auth)
  return pushed.map(({ body }) => verifySet(body, keys))
}

/** Waits until something holds; the test's own time limit ends it. */
async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20))
}

t.test('what happens is pushed in order, and each SET says what the RFCs ask for', async (t) => {
  const { auth, to, stream, send, number } = await prepare(t)
  const ada = await auth.person()
  const second = await auth.login(ada)
  await auth.send('POST /logout', { token: second.refresh_token })
  const body = { current_password: PASSWORD, new_password: 'another quiet harbour' }
  const changed = await auth.send('POST /change-password', { token: ada.access_token, body })
  t.equal(changed.status, 200)
  await auth.send('DELETE /me', {
    token: changed.body.access_token,
    body: { current_password: 'another quiet harbour' }
  })
  await number()
  send()
  const pushed = await to.came(5)
  for (const { method, url, headers } of pushed) {
    t.match({ method, url }, { method: 'POST', url: '/events' })
    t.match(headers, {
      'content-type': 'application/secevent+jwt',
      accept: 'application/json',
      authorization: 'Bearer of-the-receiver'
    })
  }
  const sets = await read(auth, pushed)
  t.strictSame(sets.map(kindOf), [
    'session-revoked',
    'session-revoked',
    'credential-change',
    'session-revoked',
    'account-purged'
  ])
  const user = { format: 'iss_sub', iss: ISSUER, sub: ada.id }
  t.match(sets[0]?.claims.sub_id, { format: 'complex', user, session: { format: 'opaque' } })
  for (const { claims } of sets.slice(1)) t.strictSame(claims.sub_id, user)
  for (const { header, claims } of sets) {
    t.strictSame(Object.keys(header).sort(), ['alg', 'kid', 'typ'])
    t.strictSame(Object.keys(claims).sort(), ['aud', 'events', 'iat', 'iss', 'jti', 'sub_id', 'toe', 'txn'])
    t.match(claims, { iss: ISSUER, aud: 'https://receiver.example.com', toe: Number, iat: Number })
    t.notMatch(JSON.stringify(claims), /example\.com.*@|Person 1|@example/, 'and nothing personal')
  }
  t.equal(new Set(sets.map(({ claims }) => claims.jti)).size, 5)
  t.equal(sets[1]?.claims['txn'], sets[2]?.claims['txn'], 'two SETs of one request say so')
  t.equal(new Date(Number(sets[4]?.claims['iat']) * 1000).getUTCFullYear(), new Date().getUTCFullYear())
  await until(async () => (await listStreams(auth.database))[0]?.behind === 0)
  t.match(await listStreams(auth.database), [{ id: stream, failures: 0, lost: 0, last_error: null }])
})

t.test('what was before a stream is not sent, and what no user did is not either', async (t) => {
  const auth = await startAuth(t)
  const ada = await auth.person()
  await disableUser(auth.operator, ada)
  await auth.database.query('SELECT audit_seal(1000)')
  const to = await startReceiver(t)
  const stream = await add(auth, to.url, 'Bearer x')
  runSender(t, auth)
  await transact(auth.operator, async (_connection, note) => {
    note('stream_verification', { stream: randomUUID(), state: 'of another stream' })
    note('stream_verification', { stream, state: 'of this one' })
  })
  await auth.database.query('SELECT audit_seal(1000)')
  const [set] = await read(auth, await to.came(1))
  t.match(set?.claims, {
    sub_id: { format: 'opaque', id: stream },
    events: { 'https://schemas.openid.net/secevent/ssf/event-type/verification': { state: 'of this one' } }
  })
})

t.test('the end of all sessions of everybody is one SET, about the issuer', async (t) => {
  const { auth, to, send, number } = await prepare(t)
  await auth.person()
  const command = 'end-all-sessions'
  await revokeEverybody({ ...auth.operator, command }, { command, ahead: 5 })
  await number()
  send()
  const [set] = await read(auth, await to.came(1))
  t.equal(set && kindOf(set), 'session-revoked')
  t.strictSame(set?.claims.sub_id, { format: 'complex', tenant: { format: 'uri', uri: ISSUER } })
})

t.test('a SET that a receiver refuses is logged, and the next one comes', async (t) => {
  const { auth, to, stream, send, number, find } = await prepare(t)
  to.answer = (pushed, reply) => (to.pushed.length === 1 ? refuse('invalid_request') : ACCEPT)(pushed, reply)
  const ada = await auth.person()
  await disableUser(auth.operator, ada)
  await number()
  send()
  const [first, second] = await read(auth, await to.came(2))
  t.strictSame(
    [first, second].map((set) => set && kindOf(set)),
    ['session-revoked', 'account-disabled']
  )
  await until(() => find('signal_sent').length === 1)
  t.match(find('signal_refused'), [{ level: 'warn', stream, jti: first?.claims.jti, code: 'invalid_request' }])
  t.notMatch(JSON.stringify(auth.lines), 'of-the-receiver', 'the secret of the receiver is in no line')
})

t.test('while the sender is not let in, nothing is lost and nothing overtakes', async (t) => {
  const { auth, to, send, number, find } = await prepare(t)
  const refusals: ((reply: Parameters<PushReceiver['answer']>[1]) => unknown)[] = [
    (reply) => reply.writeHead(401).end(),
    (reply) => reply.writeHead(302, { location: `${to.url}/elsewhere` }).end(),
    (reply) => reply.destroy()
  ]
  to.answer = (pushed, reply) => {
    const refusal = refusals[to.pushed.length - 1]
    if (refusal) refusal(reply)
    else ACCEPT(pushed, reply)
  }
  const ada = await auth.person()
  await disableUser(auth.operator, ada)
  await number()
  send()
  const pushed = await to.came(5)
  const sets = await read(auth, pushed)
  t.strictSame(sets.map(kindOf), [...Array(4).fill('session-revoked'), 'account-disabled'])
  t.equal(new Set(sets.slice(0, 4).map(({ claims }) => claims.jti)).size, 1, 'one SET has one id')
  t.strictSame([...new Set(pushed.map(({ url }) => url))], ['/events'], 'a redirect is not followed')
  await until(() => find('signal_sent').length === 2)
  t.match(find('signal_retry'), [
    { reason: 'status 401', failures: 1 },
    { reason: 'status 302', failures: 2 },
    { reason: /^UND_ERR_SOCKET|ECONNRESET$/, failures: 3 }
  ])
})

t.test('a huge answer is not read, whatever its status', async (t) => {
  const { auth, to, send, number, find } = await prepare(t)
  // What a bounded reader does not see to its end would be a refusal.
  const flood = JSON.stringify({ err: 'invalid_request' }).padEnd(5_000_000, ' ')
  to.answer = (_pushed, reply) => void reply.writeHead(to.pushed.length === 1 ? 400 : 202).end(flood)
  const ada = await auth.person()
  await disableUser(auth.operator, ada)
  await number()
  send()
  await to.came(3)
  await until(() => find('signal_sent').length === 2)
  t.match(find('signal_retry'), [{ reason: 'status 400', failures: 1 }])
})

t.test('a receiver that hangs delays no other one, and is given up after ten seconds', async (t) => {
  const { auth, to, send, number, find } = await prepare(t)
  to.answer = () => {}
  const other = await startReceiver(t)
  await add(auth, other.url, 'Bearer other')
  const ada = await auth.person()
  await disableUser(auth.operator, ada)
  await number()
  const sender = send()
  await other.came(2)
  t.equal(to.pushed.length, 1)
  await until(() => find('signal_retry').length === 1)
  t.match(find('signal_retry'), [{ reason: 'no answer in time' }])
  // Its next attempt hangs too; the stop of the service does not wait for it.
  await to.came(2)
  const began = performance.now()
  await sender.close()
  t.ok(performance.now() - began < 8000, 'the stop takes about two seconds')
  const [row] = await auth.database.query('SELECT holder, failures FROM signal_streams ORDER BY created_at LIMIT 1')
  t.match(row, { holder: null, failures: 1 }, 'the stream is free at once, and the stop is no failure')
})

t.test('a stream that is removed while it is sent gets nothing more', async (t) => {
  const { auth, to, stream, send, number } = await prepare(t)
  const ada = await auth.person()
  await disableUser(auth.operator, ada)
  await number()
  to.answer = (pushed, reply) => void removeStream(auth.database, stream).then(() => ACCEPT(pushed, reply))
  send()
  await to.came(1)
  const other = await startReceiver(t)
  await add(auth, other.url, 'Bearer other')
  await disableUser(auth.operator, ada)
  await number()
  await other.came(2)
  t.equal(to.pushed.length, 1)
})

t.test('SETs of more than a week ago are given up, counted, and said', async (t) => {
  const { auth, to, stream, send, number, find } = await prepare(t)
  const ada = await auth.person()
  await disableUser(auth.operator, ada)
  await runAsOwner(auth.config.DATABASE_URL, "UPDATE audit_records SET at = at - interval '8 days' WHERE seq IS NULL")
  const eve = await auth.person()
  await disableUser(auth.operator, eve)
  await number()
  send()
  const sets = await read(auth, await to.came(2))
  for (const { claims } of sets) t.equal(claims.sub_id['sub'], eve.id)
  await until(() => find('signal_sent').length === 2)
  t.match(find('signals_given_up'), [{ level: 'error', stream, sets: 2 }])
  t.match(await listStreams(auth.database), [{ lost: 2 }])
})

t.test('records that were removed before they were read are counted, and said', async (t) => {
  const { auth, to, stream, send, number, find } = await prepare(t)
  const ada = await auth.person()
  await disableUser(auth.operator, ada)
  await number()
  await runAsOwner(auth.config.DATABASE_URL, 'DELETE FROM audit_records')
  const eve = await auth.person()
  await disableUser(auth.operator, eve)
  await number()
  send()
  const sets = await read(auth, await to.came(2))
  for (const { claims } of sets) t.equal(claims.sub_id['sub'], eve.id)
  t.match(find('signals_lost'), [{ level: 'error', stream, records: 3 }])
  await until(async () => (await listStreams(auth.database))[0]?.lost === 3)
})

t.test('after a restore a stream goes on with what is new, and the log says so', async (t) => {
  const { auth, to, stream, send, number, find } = await prepare(t)
  const ada = await auth.person()
  await disableUser(auth.operator, ada)
  await number()
  send()
  await to.came(2)
  await until(async () => (await listStreams(auth.database))[0]?.behind === 0)
  // As in a backup of the log from before, where only the streams were kept: what is new has the same numbers.
  await runAsOwner(
    auth.config.DATABASE_URL,
    "DELETE FROM audit_records; UPDATE audit_head SET seq = 0, hash = decode(repeat('00', 32), 'hex'), at = NULL"
  )
  const eve = await auth.person()
  await disableUser(auth.operator, eve)
  await number()
  const sets = await read(auth, (await to.came(4)).slice(2))
  t.strictSame(sets.map(kindOf), ['session-revoked', 'account-disabled'])
  for (const { claims } of sets) t.equal(claims.sub_id['sub'], eve.id)
  t.match(find('signals_rewound'), [{ level: 'error', stream, seq: 3, from: 0 }])
})

t.test('one at a time takes a stream, and who was frozen too long moves it no more', async (t) => {
  const { auth, stream, number } = await prepare(t)
  const { database } = auth
  await disableUser(auth.operator, await auth.person())
  await number()
  const takes = await Promise.all(Array.from({ length: 4 }, () => takeStream(database, stream)))
  const [first, ...more] = takes.flatMap((taken) => taken ?? [])
  t.strictSame(more, [])
  if (!first) throw new Error('nobody has it')
  t.equal(await advance(database, first, { ...first, seq: 1 }), true)
  await database.query("UPDATE signal_streams SET held_until = now() - interval '1 second'")
  const second = await takeStream(database, stream)
  t.match(second, { seq: 1 })
  t.equal(await advance(database, first, { ...first, seq: 9 }), false)
  await releaseStream(database, first)
  await postponeStream(database, first, { wait: 60, reason: 'too late' })
  t.match(await database.query('SELECT seq, holder, failures FROM signal_streams'), [
    { seq: 1, holder: second?.holder, failures: 0 }
  ])
})

t.test('many instances send each SET once, in order', async (t) => {
  const { auth, to, send, number } = await prepare(t)
  for (let i = 0; i < 4; i += 1) send()
  const people = []
  for (let i = 0; i < 20; i += 1) {
    const person = await auth.person()
    people.push(person.id)
    await disableUser(auth.operator, person)
    await number()
  }
  const sets = await read(auth, await to.came(40))
  const disabled = sets.filter((set) => kindOf(set) === 'account-disabled')
  t.strictSame(
    disabled.map(({ claims }) => claims.sub_id['sub']),
    people
  )
  await until(async () => (await listStreams(auth.database))[0]?.behind === 0)
  t.equal(to.pushed.length, 40)
})
