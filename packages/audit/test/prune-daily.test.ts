import { between } from '@latchkey/testing/between'
import t from 'tap'
import { prune, type Removal } from '../src/prune.ts'
import { pruneDaily } from '../src/prune-daily.ts'
import { type Log, openLog } from './log.ts'
import { memoryLog } from './memory-log.ts'
import { until } from './sealing.ts'

/** Appends records that are so many days old, seals them, and stores the head. */
async function appendOld(audit: Log, count: number, days: number): Promise<number> {
  await audit.asOwner(
    `INSERT INTO audit_records (id, at, event, outcome, actor_kind, detail, personal_hash)
     SELECT gen_random_uuid(), clock_timestamp() - interval '${days} days', 'login', 'done', 'service', '{}', sha256('')
       FROM generate_series(1, ${count})`
  )
  await audit.seal()
  return (await audit.storeHead()).seq
}

const first = async (audit: Log) =>
  (
    await audit.rows<{ seq: number; all: number }>(
      'SELECT min(seq)::int AS seq, count(*)::int AS all FROM audit_records WHERE seq IS NOT NULL'
    )
  )[0]

t.test(
  'each day records older than the retention are removed up to a stored head; a record and a line tell',
  async (t) => {
    const audit = await openLog(t)
    const { lines, log } = memoryLog()
    const { database } = audit
    await appendOld(audit, 30, 500)
    const cut = await appendOld(audit, 20, 401)
    await appendOld(audit, 10, 399)
    const daily = pruneDaily(database, log, 5)
    await until(() => lines.length > 0)
    await daily.close()
    t.strictSame(await first(audit), { seq: cut + 1, all: 10 })
    const [head] = await audit.rows<{ seq: number; hash: string }>(
      `SELECT seq, encode(hash, 'hex') AS hash FROM audit_heads ORDER BY seq LIMIT 1`
    )
    t.equal(head?.seq, cut, 'its head stays as the beginning')
    t.strictSame(lines, [
      {
        level: 'info',
        message: 'old records of the audit log were removed',
        event: 'audit_pruned',
        seq: cut,
        hash: head?.hash,
        records: 50
      }
    ])
    t.match(await audit.rows(`SELECT outcome, actor_kind, detail FROM audit_records WHERE event = 'audit_pruned'`), [
      { outcome: 'done', actor_kind: 'service', detail: { seq: cut, hash: head?.hash, records: 50 } }
    ])
    t.equal(await prune(database), 0, 'and then there is nothing to do')
  }
)

t.test('many are removed in batches, by two instances at once, and heads far apart are found', async (t) => {
  const audit = await openLog(t)
  const lines: Removal[] = []
  for (let i = 0; i < 7; i += 1) await appendOld(audit, 5000, 500)
  await appendOld(audit, 25_000, 500)
  await appendOld(audit, 1, 1)
  const began = performance.now()
  const removed = await Promise.all([1, 2].map(() => prune(audit.database, (step) => lines.push(step))))
  t.comment(`${removed}: ${Math.round(performance.now() - began)} ms`)
  t.equal(
    removed.reduce((sum, some) => sum + some, 0),
    60_000
  )
  for (const { records } of lines.slice(0, 3)) between(t, records, { least: 5000, most: 10_000 })
  t.equal(new Set(lines.map(({ seq }) => seq)).size, lines.length)
  t.strictSame(await first(audit), { seq: 60_001, all: 1 })
})
