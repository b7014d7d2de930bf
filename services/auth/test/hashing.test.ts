import { EventEmitter } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { isProblem } from '@latchkey/testing/problem'
import t, { type Test } from 'tap'
import { present } from '../src/passwords/clock.ts'
import { type HashPool, openHashPool } from '../src/passwords/hash-pool.ts'
import { createPasswords } from '../src/passwords/hashing.ts'
import type { HashJob } from '../src/passwords/worker.ts'
import { type Auth, PASSWORD, startAuth } from './app.ts'
import { directPool } from './hash-pool.ts'

const THREADS = Math.min(availableParallelism(), 8)
const pool = openHashPool()
t.teardown(() => pool.close())
const ME = { client: '192.0.2.1', user: 'me' }

function passwordsOf(cost: number, { queueTimeout = 60, highest = cost } = {}) {
  return createPasswords(pool, { cost, queueTimeout, highestCost: { find: async () => highest, known: () => highest } })
}

/** A pool whose threads are all at work, on jobs that take long. */
async function busyPool(t: Test, threads = 1) {
  const pool = openHashPool(threads)
  t.teardown(() => pool.close())
  const begun = Array.from({ length: threads }, () => pool.run({ client: 'busy' }, hashing(14)))
  return { pool, begun: Promise.all(begun) }
}

const hashing = (cost: number, deadline = present() + 600_000) =>
  ({ op: 'hash', password: 'x', cost, deadline }) as const

t.test('threads hash and compare', async (t) => {
  const passwords = passwordsOf(4)
  const hash = await passwords.hash(ME, 'pässword')
  t.match(hash, /^\$2b\$04\$.{53}$/)
  t.strictSame(await passwords.verify(ME, 'pässword', hash), { matches: true, outdated: false })
  t.strictSame(await passwords.verify(ME, 'password', hash), { matches: false, outdated: false })
  t.strictSame(await passwords.verify(ME, 'pässword', undefined), { matches: false, outdated: false })
  const raised = passwordsOf(5)
  t.strictSame(await raised.verify(ME, 'pässword', hash), { matches: true, outdated: true })
  t.strictSame(await raised.verify(ME, 'password', hash), { matches: false, outdated: false })
})

t.test('an unknown address costs what the highest stored cost does, a new hash what is configured', async (t) => {
  const jobs: HashJob[] = []
  const run: HashPool['run'] = (asker, job) => {
    jobs.push(job)
    return pool.run(asker, job)
  }
  const asked: number[] = []
  const refuseIfBusy: HashPool['refuseIfBusy'] = (_asker, { cost }) => void asked.push(cost)
  const highestCost = { find: async () => 6, known: () => 6 }
  const passwords = createPasswords({ ...pool, run, refuseIfBusy }, { cost: 4, queueTimeout: 60, highestCost })
  const hash = await passwords.hash(ME, 'x')
  await passwords.verify(ME, 'wrong', hash)
  await passwords.verify(ME, 'wrong', undefined)
  passwords.refuseIfBusy(ME)
  t.strictSame(asked, [6], 'and whoever asks before is told by the same cost')
  t.match(jobs, [
    { op: 'hash', cost: 4 },
    { op: 'verify', cost: 6, hash },
    { op: 'verify', cost: 6, hash: `$2b$06$${'.'.repeat(53)}` }
  ])
})

t.test('a job that waited too long is not begun, and the answer is unavailable', async (t) => {
  t.equal(await pool.run(ME, hashing(15, present() - 1)), 'late')
  const passwords = passwordsOf(4, { queueTimeout: -1 })
  await t.rejects(passwords.hash(ME, 'x'), { code: 'unavailable', options: { retryAfter: 1 } })
  await t.rejects(passwords.verify(ME, 'x', undefined), { code: 'unavailable', options: { retryAfter: 1 } })
})

t.test('a job that could not be done in its time is refused at once, when others are begun before it', async (t) => {
  for (let i = 0; i < 8; i += 1) await pool.run(ME, hashing(10))
  const patient = Array.from({ length: 20 }, () => pool.run(ME, hashing(10)))
  const refusal = { code: 'unavailable', message: /^hashing: about \d+ ms to wait/, options: { retryAfter: Number } }
  await t.rejects(pool.run(ME, hashing(10, present() + 1)), refusal)
  t.throws(() => pool.refuseIfBusy(ME, hashing(10, present() + 1)), refusal, 'and whoever asks before')
  t.doesNotThrow(() => pool.refuseIfBusy(ME, hashing(10)))
  t.equal((await Promise.all(patient)).length, 20)
})

t.test('what others wait for is expected of those who are begun after them, not of a newcomer', async (t) => {
  const pool = openHashPool(1)
  t.teardown(() => pool.close())
  for (let i = 0; i < 8; i += 1) await pool.run(ME, hashing(8))
  const flood = Array.from({ length: 200 }, () => pool.run(ME, hashing(8)))
  // Far less than two hundred jobs take, and far more than two do.
  const soon = () => hashing(8, present() + 1000)
  for (const asker of [ME, { ...ME, client: 'another' }, { ...ME, user: 'another' }]) {
    t.throws(() => pool.refuseIfBusy(asker, soon()), { code: 'unavailable' }, JSON.stringify(asker))
  }
  const newcomer = { client: 'another', user: 'another' }
  t.doesNotThrow(() => pool.refuseIfBusy(newcomer, soon()))
  t.match(await pool.run(newcomer, soon()), { hash: /^\$2b\$08/ })
  t.equal((await Promise.all(flood)).length, 200)
})

t.test('jobs that took far longer than usual make a pool refuse nobody', async (t) => {
  for (let i = 0; i < 8; i += 1) await pool.run(ME, hashing(4))
  await pool.run(ME, hashing(12))
  const all = Array.from({ length: 2 * THREADS }, () => pool.run(ME, hashing(4, present() + 1000)))
  t.doesNotThrow(() => pool.refuseIfBusy(ME, hashing(4, present() + 200)))
  for (const result of await Promise.all(all)) t.match(result, { hash: /^\$2b\$04/ })
})

t.test('jobs whose time has passed make a pool refuse nobody', async (t) => {
  const { pool, begun } = await busyPool(t)
  const late = Array.from({ length: 100 }, () => pool.run(ME, hashing(4, present() + 100)))
  await sleep(150)
  t.doesNotThrow(() => pool.refuseIfBusy(ME, hashing(4, present() + 20)))
  for (const result of await Promise.all(late)) t.equal(result, 'late')
  await begun
})

t.test('whoever came first is compared first, of one address', async (t) => {
  const ended: number[] = []
  const jobs = Array.from({ length: 20 * THREADS }, async (_, i) => {
    await sleep(i)
    await pool.run(ME, hashing(8))
    ended.push(i)
  })
  await Promise.all(jobs)
  t.strictSame(
    // A thread that the system lets wait is overtaken a few times by the others.
    ended.filter((i, place) => Math.abs(i - place) > 4 * THREADS),
    [],
    String(ended)
  )
})

t.test('beside a flood of one address, another one has every second turn', async (t) => {
  const { pool, begun } = await busyPool(t)
  const ended: string[] = []
  const run = (client: string) => pool.run({ client }, hashing(4)).then(() => ended.push(client))
  await Promise.all([...Array.from({ length: 50 }, () => run('flood')), run('ada'), run('ada'), run('eve'), begun])
  t.strictSame(ended.slice(0, 6), ['flood', 'ada', 'eve', 'flood', 'ada', 'flood'])
})

t.test('the queue has an end; whoever comes then has the place of those who have most of it', async (t) => {
  const { pool, begun } = await busyPool(t, 2)
  const results = Promise.allSettled(Array.from({ length: 300 }, () => pool.run(ME, hashing(4))))
  const refusal = { code: 'unavailable', message: /^hashing: the queue is full/, options: { retryAfter: 1 } }
  t.throws(() => pool.refuseIfBusy(ME, hashing(4)), refusal)
  const honest = pool.run({ client: 'another' }, hashing(4))
  const refused = (await results).filter((result) => result.status === 'rejected')
  t.equal(refused.length, 300 - 256 + 1, 'those that found no place, and the one that made room')
  for (const { reason } of refused) t.match(reason, refusal)
  t.match(await honest, { hash: /^\$2b\$04/ })
  await begun
})

t.test('there are as many threads as are asked for, and by default no more than eight', async (t) => {
  const { default: os } = await import('node:os')
  const { openHashPool } = await t.mockImport<typeof import('../src/passwords/hash-pool.ts')>(
    '../src/passwords/hash-pool.ts',
    { 'node:os': { ...os, availableParallelism: () => 64 }, tinypool: { Tinypool: Counted } }
  )
  t.strictSame(
    [openHashPool(3), openHashPool(), openHashPool(64)].map(() => Counted.threads.shift()),
    [3, 8, 64]
  )
})

/** In the place of Tinypool: counts threads and starts none. */
class Counted extends EventEmitter {
  static readonly threads: number[] = []
  constructor({ minThreads, maxThreads }: { minThreads: number; maxThreads: number }) {
    super()
    Counted.threads.push(minThreads === 0 ? maxThreads : Number.NaN)
  }
}

t.test('every endpoint that hashes says 503 when it cannot now, and what it cannot at all is 500', async (t) => {
  let run: HashPool['run'] = async () => 'late'
  const auth = await startAuth(t, { hashPool: { ...directPool(), run: (...asked) => run(...asked) } })
  const all = await requestsOf(auth)
  for (const [line, sending] of all) isProblem(t, await auth.send(line, sending), 'unavailable', [], line)

  run = async () => {
    throw new Error('the wheel came off')
  }
  for (const [line, sending] of all) isProblem(t, await auth.send(line, sending), 'internal_error', [], line)
  const logged = auth.lines.filter(({ level }) => level === 'error')
  t.equal(logged.length, 8)
  t.match(logged.at(-1), { code: 'internal_error', err: { cause: { message: 'the wheel came off', stack: /at / } } })

  async function requestsOf(auth: Auth): Promise<[string, object][]> {
    const { default: work } = await import('../src/passwords/worker.ts')
    run = async (_asker, job) => work(job)
    const { email, access_token: token } = await auth.person()
    run = async () => 'late'
    const body = { current_password: PASSWORD, new_password: 'another harbour' }
    return [
      ['POST /signup', { body: { email: 'new@example.com', username: 'New', password: PASSWORD } }],
      ['POST /login', { body: { email, password: PASSWORD } }],
      ['POST /change-password', { body, token }],
      ['DELETE /me', { body: { current_password: PASSWORD }, token }]
    ]
  }
})

t.test('a thread that cannot begin fails its job alone, and the next job tries again', async (t) => {
  const script = t.testdir({ 'worker.mjs': 'throw new Error("half of it is written")' })
  const worker = pathToFileURL(join(script, 'worker.mjs'))
  const pool = openHashPool(2, undefined, worker)
  t.teardown(() => pool.close())
  const failed = { code: 'unavailable', message: 'hashing: a thread could not begin', cause: /half of it is written/ }
  for (let i = 0; i < 3; i += 1) {
    const jobs = [pool.run(ME, hashing(4)), pool.run(ME, hashing(4))]
    for (const job of jobs) await t.rejects(job, failed)
    t.equal(pool.counts().running, 0)
  }
  await writeFile(worker, 'export default () => "late"')
  const once = () => pool.run(ME, hashing(4)).catch(({ message }: Error) => message)
  let result = await once()
  // A thread that was begun before may fail only now.
  while (result === failed.message) result = await once()
  t.equal(result, 'late')
})
