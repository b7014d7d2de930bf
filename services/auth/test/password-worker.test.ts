import { between } from '@latchkey/testing/between'
import bcrypt from 'bcryptjs'
import t, { type Test } from 'tap'
import { present } from '../src/passwords/clock.ts'
import { openNative, openScript } from '../src/passwords/engine.ts'
import { createWork, type HashJob } from '../src/passwords/worker.ts'

// The rounds that a job takes are counted at bcrypt itself: 2^cost for each hash and each comparison.
let rounds = 0
const script = openScript()
const work = createWork({
  ...script,
  hash: (password, cost) => {
    rounds += 2 ** cost
    return script.hash(password, cost)
  },
  compare: (password, hash) => {
    rounds += 2 ** bcrypt.getRounds(hash)
    return script.compare(password, hash)
  }
})
const deadline = Number.POSITIVE_INFINITY
const COST = 7

function verify(password: string, hash: string): unknown {
  rounds = 0
  return work({ op: 'verify', password, hash, cost: COST, deadline })
}

t.test('a hash is bcrypt of the cost that was asked for', async (t) => {
  rounds = 0
  const result = work({ op: 'hash', password: 'pässword', cost: 5, deadline }) as { hash: string }
  t.match(result.hash, /^\$2b\$05\$.{53}$/)
  t.equal(rounds, 2 ** 5)
  t.equal(bcrypt.compareSync('pässword', result.hash), true)
})

t.test('a wrong password costs what is configured, whatever the stored hash has', async (t) => {
  for (const stored of [4, 5, 6, COST]) {
    t.match(verify('wrong', bcrypt.hashSync('right', stored)), { matches: false }, `cost ${stored}`)
    t.equal(rounds, 2 ** COST, `cost ${stored}`)
  }
})

t.test('the right one costs no more than its hash', async (t) => {
  t.match(verify('right', bcrypt.hashSync('right', 5)), { matches: true })
  t.equal(rounds, 2 ** 5)
})

t.test('a stored text that is no hash opens nothing, and costs as much', async (t) => {
  const odd = ['$2b$99$', '$2b$03$', '$2b$32$', '$2x$07$', '$2$07$.', '$1$07$.', '$2b$0x$', '$2b$-1$'].map((form) =>
    form.padEnd(60, '.')
  )
  for (const hash of ['', 'right', '*', '$2b$07$', ...odd, `$2b$07$${'é'.repeat(53)}`, `$2b$07$${'.'.repeat(54)}`]) {
    t.match(verify('right', hash), { matches: false }, hash)
    t.equal(rounds, 2 ** COST, hash)
  }
})

for (const engine of [openNative(), script]) {
  t.test(`the pace is judged by the work that was done, by ${engine.engine}`, (t) => judgesPace(t, createWork(engine)))
}

async function judgesPace(t: Test, work: ReturnType<typeof createWork>): Promise<void> {
  const HIGH = 12
  const about = (t: Test, cost: number, job: Partial<HashJob>) => {
    const begun = performance.now()
    const { pace } = work({ password: 'right', cost: HIGH, deadline, ...job } as HashJob) as { pace: number }
    const share = (pace * 2 ** cost) / (performance.now() - begun)
    between(t, share, { least: 0.5, most: 1 }, `of the time that 2^${cost} rounds took`)
  }
  const stored = (cost: number) => bcrypt.hashSync('right', cost)
  about(t, HIGH, { op: 'hash' })
  about(t, HIGH, { op: 'verify', hash: stored(HIGH) })
  about(t, HIGH - 3, { op: 'verify', hash: stored(HIGH - 3) })
  about(t, HIGH, { op: 'verify', hash: stored(HIGH - 3), password: 'wrong' })
  about(t, HIGH + 1, { op: 'verify', hash: stored(HIGH + 1), password: 'wrong' })
  about(t, HIGH, { op: 'verify', hash: 'none' })
}

t.test('a job that comes after its deadline is not begun', async (t) => {
  rounds = 0
  t.equal(work({ op: 'hash', password: 'x', cost: COST, deadline: present() - 1 }), 'late')
  t.equal(work({ op: 'verify', password: 'x', hash: '', cost: COST, deadline: present() - 1 }), 'late')
  t.equal(rounds, 0)
})
