import t from 'tap'
import { startAuth } from './app.ts'
import { directPool } from './hash-pool.ts'

// Nobody finds out by /login whether an address has an account: neither by what is answered nor by the work it takes.
// The work is counted, not timed.
const COST = 6
const hashPool = directPool()
const auth = await startAuth(t, { hashPool, cost: COST })
const known = await auth.person()

async function tryToLogIn(email: string, password = 'not the password'): Promise<{ answer: unknown; jobs: unknown[] }> {
  hashPool.jobs.length = 0
  const { status, headers, body } = await auth.send('POST /login', { body: { email, password } })
  const { date: _, ...rest } = headers
  const jobs = hashPool.jobs.map((job) => ({ ...job, deadline: 0, hash: job.op === 'verify' && shapeOf(job.hash) }))
  return { answer: { status, headers: rest, body: { ...body, request_id: '' } }, jobs }
}

function shapeOf(hash: string): object {
  return { cost: hash.slice(0, 7), length: hash.length }
}

t.test('a known and an unknown address get one answer, for one and the same work', async (t) => {
  const wrong = await tryToLogIn(known.email)
  const unknown = await tryToLogIn('nobody@example.com')
  t.same(unknown, wrong)
  t.same(unknown.jobs, [
    { op: 'verify', password: 'not the password', cost: COST, deadline: 0, hash: { cost: '$2b$06$', length: 60 } }
  ])
})

t.test('so do passwords that are too long, empty, or not as they are kept', async (t) => {
  for (const password of ['', 'x'.repeat(100), 'cafe\u0301\u00a0']) {
    t.same(await tryToLogIn('nobody@example.com', password), await tryToLogIn(known.email, password))
  }
})

t.test('so does a disabled account', async (t) => {
  const disabled = await auth.person()
  await auth.database.query('UPDATE users SET disabled_at = now() WHERE id = $1', [disabled.id])
  t.same(await tryToLogIn('nobody@example.com'), await tryToLogIn(disabled.email))
})
