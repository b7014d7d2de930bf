import { createHash } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { exportLines } from '../src/export.ts'
import { verifyLog } from '../src/verify.ts'
import { type Log, openLog } from './log.ts'

const RECORDS = 100_000

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

/** The bytes that are in use once garbage is collected. */
function inUse(): number {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Fills a log with sealed records in one statement, as the owner. */
async function fill(log: Log): Promise<void> {
  // Nor are there statistics, which could come in the middle.
  await log.asOwner('ALTER TABLE audit_records SET (autovacuum_enabled = off)')
  await log.asOwner(`INSERT INTO audit_records (id, event, outcome, actor_kind, actor_id, detail, person_id, personal, personal_salt, personal_hash)
    SELECT gen_random_uuid(), 'login', 'done', 'user', u, '{}', u, '{"ip":"192.0.2.1"}', '\\x00', '\\x${hashOfPersonal}'
      FROM (SELECT gen_random_uuid() AS u FROM generate_series(1, ${RECORDS})) AS users`)
  for (let sealed = 1; sealed > 0; ) {
    const [row] = await log.database.query<{ sealed: number }>('SELECT audit_seal(10000) AS sealed')
    sealed = row?.sealed ?? 0
    if (sealed > 0) await log.storeHead()
  }
}

const hashOfPersonal = createHash('sha256').update('\0').update('{"ip":"192.0.2.1"}').digest('hex')

t.test('100,000 records are verified page by page, without holding them, and each fault is found', async (t) => {
  const log = await openLog(t)
  await fill(log)
  const faults: string[] = []
  const before = inUse()
  let most = before
  const watch = setInterval(() => {
    most = Math.max(most, inUse())
  }, 300)
  const verified = await verifyLog(log.database, {}, (fault) => faults.push(fault))
  clearInterval(watch)
  let exported = 0
  for await (const lines of exportLines(log.database, {}, () => 'x')) exported += lines.length / 2
  t.equal(exported, RECORDS)
  t.match({ ...verified, faults }, { faults: [], records: RECORDS, end: RECORDS, heads: { unsigned: 10 } })
  // Held all at once, they would take more than 100 MB.
  t.ok(most - before < 20e6, `at most ${Math.round((most - before) / 1e6)} MB more were in use`)

  await log.asOwner(`UPDATE audit_records SET outcome = 'failed' WHERE seq % 1000 = 0`)
  t.equal((await verifyLog(log.database, {}, (fault) => faults.push(fault))).faults, 100)
  for (let seq = 1000; seq <= RECORDS; seq += 1000) {
    if (!faults.some((fault) => fault.startsWith(`record ${seq} (`))) t.fail(`record ${seq}`)
  }
  faults.length = 0
  await log.asOwner(`UPDATE audit_records SET outcome = 'refused'`)
  await verifyLog(log.database, {}, (fault) => faults.push(fault))
  t.ok(faults.length < 2000, 'a log that is altered everywhere is told in few lines')
  t.match(faults.at(-1), /^records \d+ to 100000 .* do not fit/)
})

t.test('while others write and seal, every verification is of one moment, and whole', async (t) => {
  const log = await openLog(t)
  await log.append(500)
  let isDone = false
  const writers = Array.from({ length: 3 }, async () => {
    while (!isDone) {
      await log.append(20)
      await log.seal()
      await log.storeHead().catch((error) => t.equal(error.code, '23505', 'the head was stored by another'))
    }
  })
  const ends: number[] = []
  for (let i = 0; i < 15; i += 1) {
    const faults: string[] = []
    ends.push((await verifyLog(log.database, {}, (fault) => faults.push(fault))).end)
    t.strictSame(faults, [])
  }
  isDone = true
  await Promise.all(writers)
  t.ok((ends.at(-1) ?? 0) > (ends[0] ?? 0), `it grew meanwhile, from ${ends[0]} to ${ends.at(-1)}`)
})

t.test('a verification changes nothing, and may not', async (t) => {
  const log = await openLog(t)
  await log.append(5)
  await log.seal()
  const before = await log.rows('SELECT * FROM audit_records ORDER BY seq')
  let isReadOnly: unknown
  const database = {
    ...log.database,
    transaction: (work: Parameters<typeof log.database.transaction>[0]) =>
      log.database.transaction(async (connection) => {
        const done = await work(connection)
        const [row] = await connection.query<{ setting: string }>(
          "SELECT current_setting('transaction_read_only') || ' ' || current_setting('transaction_isolation') AS setting"
        )
        isReadOnly = row?.setting
        return done
      })
  }
  await verifyLog(database as typeof log.database, {}, () => {})
  t.equal(isReadOnly, 'on repeatable read')
  t.strictSame(await log.rows('SELECT * FROM audit_records ORDER BY seq'), before)
})
