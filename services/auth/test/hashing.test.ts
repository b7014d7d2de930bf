import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { isProblem } from '../../../packages/service/test/problem.ts'
import { createPasswords, type HashPool, openHashPool } from '../src/accounts/passwords.ts'
import { type Auth, PASSWORD, startAuth } from './app.ts'

const pool = openHashPool()
t.teardown(() => pool.close())

t.test('threads hash and compare', async (t) => {
  const passwords = createPasswords(pool, { cost: 4, queueTimeout: 60 })
  const hash = await passwords.hash('pässword')
  t.match(hash, /^\$2b\$04\$.{53}$/)
  t.strictSame(await passwords.verify('pässword', hash), { matches: true, outdated: false })
  t.strictSame(await passwords.verify('password', hash), { matches: false, outdated: false })
  t.strictSame(await passwords.verify('pässword', undefined), { matches: false, outdated: false })
  const raised = createPasswords(pool, { cost: 5, queueTimeout: 60 })
  t.strictSame(await raised.verify('pässword', hash), { matches: true, outdated: true })
  t.strictSame(await raised.verify('password', hash), { matches: false, outdated: false })
})

t.test('a job that waited too long is not begun, and the answer is unavailable', async (t) => {
  t.equal(await pool.run({ op: 'hash', password: 'x', cost: 15, deadline: Date.now() - 1 }), 'late')
  const passwords = createPasswords(pool, { cost: 4, queueTimeout: -1 })
  await t.rejects(passwords.hash('x'), { code: 'unavailable', options: { retryAfter: 1 } })
  await t.rejects(passwords.verify('x', undefined), { code: 'unavailable', options: { retryAfter: 1 } })
})

t.test('a job that could not be done in its time is refused at once, when others wait before it', async (t) => {
  const job = { op: 'hash', password: 'x', cost: 10 } as const
  for (let i = 0; i < 8; i += 1) await pool.run({ ...job, deadline: Number.POSITIVE_INFINITY })
  const patient = Array.from({ length: 20 }, () => pool.run({ ...job, deadline: Date.now() + 600_000 }))
  const begun = pool.run({ ...job, deadline: Date.now() + 1 })
  const refusal = { code: 'unavailable', message: /^hashing: about \d+ ms to wait/, options: { retryAfter: Number } }
  await t.rejects(begun, refusal)
  t.throws(() => pool.admit(Date.now() + 1), refusal, 'and whoever asks before')
  t.doesNotThrow(() => pool.admit(Date.now() + 600_000))
  t.equal((await Promise.all(patient)).length, 20)
})

t.test('jobs that took far longer than usual make a pool refuse nobody', async (t) => {
  const usual = { op: 'hash', password: 'x', cost: 4 } as const
  for (let i = 0; i < 8; i += 1) await pool.run({ ...usual, deadline: Date.now() + 60_000 })
  await pool.run({ ...usual, cost: 12, deadline: Date.now() + 60_000 })
  const all = Array.from({ length: 2 * availableParallelism() }, () =>
    pool.run({ ...usual, deadline: Date.now() + 1000 })
  )
  t.doesNotThrow(() => pool.admit(Date.now() + 200))
  for (const result of await Promise.all(all)) t.match(result, { hash: /^\$2b\$04/ })
})

t.test('jobs whose time has passed make a pool refuse nobody', async (t) => {
  const short = { op: 'hash', password: 'x', cost: 4 } as const
  for (let i = 0; i < 8; i += 1) await pool.run({ ...short, deadline: Date.now() + 60_000 })
  const long = Array.from({ length: availableParallelism() }, () =>
    pool.run({ ...short, cost: 14, deadline: Date.now() + 60_000 })
  )
  const late = Array.from({ length: 100 }, () => pool.run({ ...short, deadline: Date.now() + 400 }))
  await sleep(450)
  t.doesNotThrow(() => pool.admit(Date.now() + 20))
  for (const result of await Promise.all(late)) t.equal(result, 'late')
  await Promise.all(long)
})

t.test('whoever came first is compared first', async (t) => {
  const [threads, ended] = [availableParallelism(), [] as number[]]
  const deadline = Date.now() + 600_000
  const jobs = Array.from({ length: 20 * threads }, async (_, i) => {
    await sleep(i)
    await pool.run({ op: 'hash', password: 'x', cost: 8, deadline })
    ended.push(i)
  })
  await Promise.all(jobs)
  t.strictSame(
    // A thread that the system lets wait is overtaken a few times by the others.
    ended.filter((i, place) => Math.abs(i - place) > 4 * threads),
    [],
    String(ended)
  )
})

t.test('the queue has an end, and whoever comes when it is full hears so at once', async (t) => {
  const pool = openHashPool()
  t.teardown(() => pool.close())
  const late = { op: 'hash', password: 'x', cost: 15, deadline: 0 } as const
  const results = await Promise.allSettled(Array.from({ length: 400 }, () => pool.run(late)))
  const refused = results.filter((result) => result.status === 'rejected')
  t.equal(results.length - refused.length, 256 + availableParallelism(), 'those at work, and those that may wait')
  t.match(refused.at(-1)?.reason, {
    code: 'unavailable',
    message: 'hashing: the queue is full',
    options: { retryAfter: 1 }
  })
  t.equal(await pool.run(late), 'late', 'and soon there is room again')
})

t.test('every endpoint that hashes says 503 when it cannot now, and what it cannot at all is 500', async (t) => {
  let run: HashPool['run'] = async () => 'late'
  const auth = await startAuth(t, { hashPool: { admit: () => {}, run: (job) => run(job), close: async () => {} } })
  const all = await requestsOf(auth)
  for (const [line, sending] of all) isProblem(t, await auth.send(line, sending), 'unavailable', [], line)

  run = async () => {
    throw new Error('the wheel came off')
  }
  for (const [line, sending] of all) isProblem(t, await auth.send(line, sending), 'internal_error', [], line)
  const logged = auth.lines.filter(({ level }) => level === 'error')
  t.equal(logged.length, 6)
  t.match(logged.at(-1), { code: 'internal_error', err: { cause: { message: 'the wheel came off', stack: /at / } } })

  async function requestsOf(auth: Auth): Promise<[string, object][]> {
    const { default: work } = await import('../src/accounts/password-worker.ts')
    run = async (job) => work(job)
    const { email, access_token: token } = await auth.person()
    run = async () => 'late'
    const body = { current_password: PASSWORD, new_password: 'another harbour' }
    return [
      ['POST /signup', { body: { email: 'new@example.com', username: 'New', password: PASSWORD } }],
      ['POST /login', { body: { email, password: PASSWORD } }],
      ['POST /change-password', { body, token }]
    ]
  }
})
