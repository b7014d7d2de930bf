import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase } from '@latchkey/database/pool'
import { unavailable } from '@latchkey/problems/problem'
import { createDatabase } from '@latchkey/testing/database'
import t, { type Test } from 'tap'
import { noteWhoAsks } from '../src/feed/receivers.ts'
import { listReceivers, noteReceivers, type Receiver } from '../src/revocations/receivers.ts'
import { startAuth } from './app.ts'
import { ask, FEED_TOKEN } from './feed.ts'

async function openList(t: Test) {
  const settings = { DATABASE_URL: await createDatabase(t), DATABASE_POOL_SIZE: 5, ANSWER_TIMEOUT: 30 }
  const database = openDatabase(settings, () => {})
  t.teardown(() => database.close())
  return database
}

const receiver = (n: number, own: Partial<Receiver> = {}): Receiver => ({
  ip: `192.0.2.${n % 250}`,
  userAgent: `latchkey-verifier (greet; ${n.toString(16).padStart(8, '0')})`,
  seq: n,
  mark: '',
  isAuthenticated: true,
  ...own
})

t.test('who asks is listed a moment later, with the number that they know', async (t) => {
  const auth = await startAuth(t, { env: { REVOCATION_FEED: 'token', FEED_TOKEN } })
  const agent = 'latchkey-verifier (greet; 0123abcd)'
  const sending = { token: FEED_TOKEN, headers: { 'user-agent': agent }, from: '192.0.2.1' }
  const { to } = await ask(auth, {}, sending)
  await ask(auth, { after: to }, sending)
  await auth.send('GET /revocations?nonce=0123456789abcdef', { token: 'x'.repeat(40), from: '192.0.2.9' })
  let listed = await listReceivers(auth.database, 60)
  while (listed[0]?.seq !== 1) {
    await sleep(50)
    listed = await listReceivers(auth.database, 60)
  }
  t.match(listed, [{ ip: '192.0.2.1', userAgent: agent, seq: 1, isKnown: true, isAuthenticated: true, ago: Number }])
  t.equal(listed.length, 1, 'nobody who was refused')
})

t.test('a thousand are kept: those with the token, and of these the last that asked', async (t) => {
  const database = await openList(t)
  const strangers = Array.from({ length: 700 }, (_, n) => receiver(n, { ip: '198.51.100.1', isAuthenticated: false }))
  await noteReceivers(database, strangers)
  await noteReceivers(
    database,
    Array.from({ length: 600 }, (_, n) => receiver(n))
  )
  const counts = async () => {
    const listed = await listReceivers(database, 60)
    return [listed.length, listed.filter(({ isAuthenticated }) => isAuthenticated).length]
  }
  t.strictSame(await counts(), [1000, 600])
  await noteReceivers(
    database,
    Array.from({ length: 1000 }, (_, n) => receiver(n + 600))
  )
  t.strictSame(await counts(), [1000, 1000])
  t.ok((await listReceivers(database, 60)).every(({ seq }) => seq >= 600))
  await database.query("UPDATE feed_receivers SET asked_at = now() - interval '2 minutes' WHERE seq < 1000")
  t.strictSame(await counts(), [600, 600], 'who asked longer ago is not there')
})

t.test('instances that note the same receivers at once do not stop each other', async (t) => {
  const database = await openList(t)
  const all = Array.from({ length: 1100 }, (_, n) => receiver(n))
  for (let round = 0; round < 5; round += 1) {
    await Promise.all(
      [all, all.toReversed(), all.toSorted(() => Math.random() - 0.5)].map((own) => noteReceivers(database, own))
    )
  }
  t.equal((await listReceivers(database, 60)).length, 1000)
})

t.test('strangers with ever other names fill no memory, and a failure is one line', async (t) => {
  const batches: (readonly Receiver[])[] = []
  const lines: string[] = []
  const closing = new AbortController()
  const note = noteWhoAsks({
    store: async (batch) => {
      batches.push(batch)
      throw unavailable('the database is away')
    },
    log: { warn: (_fields: object, text: string) => lines.push(text) } as never,
    closing: closing.signal
  })
  for (let round = 1; round <= 2; round += 1) {
    for (let n = 0; n < 3000; n += 1) note(receiver(n))
    note(receiver(0, { seq: 7 }))
    while (batches.length < round) await sleep(50)
  }
  closing.abort()
  t.strictSame(
    batches.map((batch) => [batch.length, batch[0]?.seq]),
    [
      [1000, 7],
      [1000, 7]
    ]
  )
  t.strictSame(lines, ['who reads the revocation feed cannot be noted'])
})
