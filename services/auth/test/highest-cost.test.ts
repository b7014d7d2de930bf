import bcrypt from 'bcryptjs'
import t from 'tap'
import { followHighestCost } from '../src/passwords/highest-cost.ts'
import { findHighestCost } from '../src/users/find.ts'
import { startAuth } from './app.ts'
import { directPool } from './hash-pool.ts'

/** A cost that is followed in a time of its own, and the reads that were made of it. */
function follow(found: (number | undefined | Error)[], configured = 10) {
  const state = { now: 0, reads: 0 }
  const { find: highest, known } = followHighestCost(
    async () => {
      const next = found[Math.min(state.reads, found.length - 1)]
      state.reads += 1
      if (next instanceof Error) throw next
      return next
    },
    { configured, now: () => state.now }
  )
  return { state, highest, known }
}

t.test('it is the highest that is stored, and never less than the configured one', async (t) => {
  for (const [stored, expected] of [
    [undefined, 10],
    [9, 10],
    [10, 10],
    [12, 12]
  ] as const) {
    t.equal(await follow([stored]).highest(), expected, String(stored))
  }
})

t.test('it is read when it is first needed, once for all who come at once, and again after a minute', async (t) => {
  const { state, highest, known } = follow([12, 11])
  t.strictSame([known(), state.reads], [10, 0], 'before that, the configured one is known')
  t.strictSame(await Promise.all([highest(), highest(), highest()]), [12, 12, 12])
  state.now = 59_999
  t.strictSame([await highest(), state.reads], [12, 1])
  state.now = 60_000
  t.strictSame([await highest(), state.reads], [12, 2], 'behind a login, which does not wait for it')
  t.strictSame([await highest(), known(), state.reads], [11, 11, 2])
})

t.test('what cannot be read at first is an error; later, the last one stays', async (t) => {
  const { state, highest } = follow([new Error('away'), 11, new Error('away again'), 12])
  await t.rejects(highest(), { message: 'away' })
  t.equal(await highest(), 11)
  for (const [now, expected] of [
    [60_000, 11],
    [60_001, 11],
    [120_001, 11],
    [120_002, 12]
  ] as const) {
    state.now = now
    t.equal(await highest(), expected, `${now}`)
    await new Promise(setImmediate)
  }
})

t.test('an unknown address costs as much as the dearest account, from a minute after there is one', async (t) => {
  const hashPool = directPool()
  let now = Date.now()
  const auth = await startAuth(t, { hashPool, now: () => now })
  const [ada, eve] = [await auth.person(), await auth.person()]
  const store = (email: string, hash: string) =>
    auth.database.query('UPDATE users SET password_hash = $2 WHERE email = $1', [email, hash])
  const costsOf = async (...emails: string[]) => {
    hashPool.jobs.length = 0
    for (const email of emails) await auth.send('POST /login', { body: { email, password: 'wrong' } })
    return hashPool.jobs.map((job) => `${job.op} ${job.cost}`)
  }
  const everybody = ['nobody@example.com', ada.email, eve.email]
  t.strictSame(await costsOf(...everybody), ['verify 4', 'verify 4', 'verify 4'])
  await store(eve.email, bcrypt.hashSync(eve.password, 6))
  now += 60_000
  await costsOf(...everybody)
  t.strictSame(await costsOf(...everybody), ['verify 6', 'verify 6', 'verify 6'])
  t.match((await auth.login(ada)).refresh_token, /./, 'and a right password opens a session as before')

  await auth.send('DELETE /me', { token: eve.access_token, body: { current_password: eve.password } })
  now += 60_000
  await costsOf(...everybody)
  t.strictSame(await costsOf('nobody@example.com', ada.email), ['verify 4', 'verify 4'])
})

t.test('what is stored and is no bcrypt hash, or one that is never made here, raises no cost', async (t) => {
  const auth = await startAuth(t)
  for (const hash of ['', '*', 'scrypt$16$x', `$2b$31$${'.'.repeat(53)}`, `$2y$07$${'.'.repeat(53)}`]) {
    const { email } = await auth.person()
    await auth.database.query('UPDATE users SET password_hash = $2 WHERE email = $1', [email, hash])
  }
  t.equal(await findHighestCost(auth.database), 7)
})

t.test('the index finds it in one look', async (t) => {
  const auth = await startAuth(t)
  const plan: object[] = []
  await auth.database.transaction(async (connection) => {
    await connection.query('SET LOCAL enable_seqscan = off')
    await findHighestCost({
      query: async (sql, values) => {
        plan.push(...(await connection.query(`EXPLAIN ${sql}`, values)))
        return []
      }
    })
  })
  t.match(JSON.stringify(plan), /Limit.*Index (Only )?Scan Backward using users_cost/)
})
