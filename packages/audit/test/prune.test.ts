import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { prune, type Removal } from '../src/prune.ts'
import { recordOf } from '../src/record.ts'
import { verifyLog } from '../src/verify.ts'
import { erasePerson, writeRecords } from '../src/write.ts'
import { type Log, openLog } from './log.ts'

async function verify(log: Log) {
  const told: string[] = []
  return { ...(await verifyLog(log.database, {}, (fault) => told.push(fault))), told }
}

/** A log of so many groups of ten records, with a head after each; the first `old` groups are two years old. */
async function groups(t: Test, count: number, old: number): Promise<Log> {
  const log = await openLog(t)
  for (let i = 0; i < count; i += 1) {
    await log.append(10)
    if (i < old) await log.asOwner("UPDATE audit_records SET at = at - interval '800 days' WHERE seq IS NULL")
    await log.seal()
    await log.storeHead()
  }
  return log
}

t.test('old records are removed up to a head, which stays as the beginning; a record tells of it', async (t) => {
  const log = await groups(t, 5, 3)
  const told: Removal[] = []
  t.equal(await prune(log.database, (removal) => told.push(removal)), 30)
  t.match(told, [{ seq: 30, records: 30, hash: /^[\da-f]{64}$/ }])
  t.match(await verify(log), { told: [], begin: 30, end: 50, records: 20, unsealed: { count: 1 } })
  await log.seal()
  t.match(await verify(log), { told: [], begin: 30, end: 51 })
  t.strictSame(await log.rows('SELECT seq::int FROM audit_heads ORDER BY seq'), [{ seq: 30 }, { seq: 40 }, { seq: 50 }])
  t.strictSame(
    await log.rows("SELECT actor_kind, detail->>'seq' AS seq FROM audit_records WHERE event = 'audit_pruned'"),
    [{ actor_kind: 'service', seq: '30' }]
  )
  t.equal(await prune(log.database), 0, 'a second time removes nothing')
  t.match(await verify(log), { told: [], end: 51, unsealed: { count: 0 } }, 'and writes no record')
})

t.test('a young record stops it, wherever its number is', async (t) => {
  const log = await groups(t, 5, 5)
  await log.rows('UPDATE audit_records SET at = now() WHERE seq = 25')
  t.equal(await prune(log.database), 20)
  t.strictSame(await log.rows('SELECT min(seq)::int AS first FROM audit_records'), [{ first: 21 }])
})

t.test('with a retention of 0 nothing is removed', async (t) => {
  const log = await groups(t, 2, 2)
  await log.asOwner("UPDATE audit_settings SET retention = '0'")
  t.equal(await prune(log.database), 0)
  t.strictSame(await log.rows('SELECT count(*)::int FROM audit_records'), [{ count: 20 }])
})

t.test('many steps remove the same as one, and each leaves a whole log', async (t) => {
  const log = await groups(t, 12, 9)
  const steps: number[] = []
  for (;;) {
    const [step] = await log.database.query<{ seq: number; records: number }>('SELECT * FROM audit_prune(25)')
    if (!step) break
    steps.push(step.seq)
    t.match(await verify(log), { told: [], begin: step.seq }, `behind ${step.seq}`)
    await log.seal()
  }
  t.strictSame(steps, [20, 40, 60, 80, 90])
  t.match(await verify(log), { told: [], begin: 90, end: 125 })
})

t.test('steps that are smaller than the distance of heads remove nevertheless', async (t) => {
  const log = await groups(t, 4, 3)
  const steps: number[] = []
  for (;;) {
    const [step] = await log.database.query<{ seq: number }>('SELECT * FROM audit_prune(1)')
    if (!step) break
    steps.push(step.seq)
  }
  t.equal(steps.at(-1), 30)
  t.match(await verify(log), { told: [], begin: 30 })
})

t.test('all of it can be removed, and the log goes on', async (t) => {
  const log = await groups(t, 2, 2)
  t.equal(await prune(log.database), 20)
  t.match(await verify(log), { told: [], records: 0, begin: 20, end: 20, unsealed: { count: 1 } })
  await log.append(3)
  await log.seal()
  t.match(await verify(log), { told: [], records: 4, begin: 20, end: 24 })
})

t.test('while it removes, others write and seal, and every snapshot is whole', async (t) => {
  const log = await groups(t, 20, 15)
  let isDone = false
  const writing = (async () => {
    while (!isDone) {
      await log.append(3)
      await log.seal()
    }
  })()
  const verifying = (async () => {
    const faults: string[] = []
    while (!isDone) faults.push(...(await verify(log)).told)
    return faults
  })()
  let removed = 0
  for (;;) {
    const [step] = await log.database.query<{ records: number }>('SELECT * FROM audit_prune(20)')
    if (!step) break
    removed += step.records
  }
  isDone = true
  await writing
  t.equal(removed, 150)
  t.strictSame(await verifying, [])
  t.strictSame((await verify(log)).told, [])
})

t.test('two who remove at once remove each record once', async (t) => {
  const log = await groups(t, 10, 8)
  const [one, two] = await Promise.all([prune(log.database), prune(log.database)])
  t.equal(one + two, 80)
  await log.seal()
  t.strictSame((await verify(log)).told, [])
})

t.test('a beginning whose head or record is missing, or not the same, is a fault', async (t) => {
  const log = await groups(t, 3, 2)
  await prune(log.database)
  await log.seal()
  const head = await log.rows<{ hash: Buffer }>('SELECT hash FROM audit_heads WHERE seq = 20')
  await log.asOwner('DELETE FROM audit_heads WHERE seq = 20')
  t.strictSame((await verify(log)).told, [
    'the log begins behind record 20, up to which older ones were removed, but the stored head of that record is missing'
  ])
  await log.asOwner("INSERT INTO audit_heads (seq, hash) VALUES (20, sha256('another'))")
  t.match((await verify(log)).told, [
    /^the log begins behind record 20, whose stored head is not the one that record audit_pruned [\da-f-]+ tells of$/,
    /^the stored head of record 20 does not fit/
  ])
  await log.rows('UPDATE audit_heads SET hash = $1 WHERE seq = 20', [head[0]?.hash])
  await log.asOwner("UPDATE audit_records SET event = 'login' WHERE event = 'audit_pruned'")
  t.match((await verify(log)).told, [
    'records 1 to 20 are missing: they were removed, or got other numbers. No record audit_pruned tells of their removal',
    /^record 31 .* was altered/
  ])
})

t.test('a record that lies about a removal is a fault, and hides nothing', async (t) => {
  const log = await groups(t, 2, 0)
  const lie = recordOf('audit_pruned', { seq: 10, hash: 'ab'.repeat(32), records: 10 }, {})
  await writeRecords(log.database, [lie])
  await log.asOwner("UPDATE audit_records SET outcome = 'failed' WHERE seq = 4")
  t.match((await verify(log)).told, [
    `record audit_pruned ${lie.id} tells that records up to 10 were removed, but record 1 (${await log.idOf(1)}) is there`,
    `record 4 (${await log.idOf(4)}) was altered`
  ])
  // Whatever its detail is, reading it is no error.
  for (const detail of [
    '[]',
    '{"seq":"x"}',
    '{"seq":1e9}',
    '{"seq":99999999999999999999}',
    '"\\u0000"',
    '{"seq":5,"hash":"\\u0000"}'
  ]) {
    await log.rows('UPDATE audit_records SET detail = $1 WHERE id = $2', [detail, lie.id])
    t.ok((await verify(log)).told.length > 0, detail)
  }
})

t.test('what was erased right before the beginning is no fault, although the deletion was removed', async (t) => {
  const log = await openLog(t)
  const ada = randomUUID()
  await log.append(1, ada)
  await writeRecords(log.database, [recordOf('account_deleted', { user: ada }, { ip: '192.0.2.1' })])
  await log.asOwner("UPDATE audit_records SET at = at - interval '800 days'")
  await log.seal()
  await log.storeHead()
  await log.append(1, ada)
  await log.seal()
  await erasePerson(log.database, ada)
  t.match(await verify(log), { told: [], erasures: { erased: 3, maybe: 0 } })
  t.equal(await prune(log.database), 2)
  t.match(await verify(log), { told: [], erasures: { erased: 0, maybe: 1 } })
  await log.rows("UPDATE audit_heads SET at = at - interval '3 days'")
  t.match((await verify(log)).told, [/^the personal data of record 3 .* were erased/])
})

t.test(
  'records that were removed too early are told by a head that was kept, and rightly removed ones are not',
  async (t) => {
    const log = await groups(t, 4, 3)
    const [head] = await log.rows<{ seq: number; hash: Buffer }>(
      'SELECT seq::int, hash FROM audit_heads WHERE seq = 20'
    )
    await prune(log.database)
    const told = async (age: number | null) => {
      const faults: string[] = []
      const at = age === null ? null : Date.now() - age
      const kept = { seq: 20, hash: head?.hash ?? Buffer.alloc(32), jws: null, at, source: 'auth.log:3' }
      const { heads } = await verifyLog(log.database, { heads: [kept] }, (fault) => faults.push(fault))
      t.equal(heads.tooOld, 1)
      return faults
    }
    t.match(await told(86_400_000), [
      /^records up to 30 were removed as too old, but the head of record 20 in auth.log:3 is of/
    ])
    t.strictSame(await told(8 * 86_400_000), [])
    t.strictSame(await told(null), [])
  }
)

t.test('without a retention nothing is removed', async (t) => {
  const log = await groups(t, 2, 2)
  await log.asOwner('DELETE FROM audit_settings')
  t.equal(await prune(log.database), 0)
})
