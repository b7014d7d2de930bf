import { setTimeout as sleep } from 'node:timers/promises'
import { between } from '@latchkey/testing/between'
import t, { type Test } from 'tap'
import { OWNS_LOG } from '../src/ownership.ts'
import { runSealer } from '../src/seal.ts'
import { type Log, openLog } from './log.ts'
import { memoryLog } from './memory-log.ts'
import { counts, headsOf, until } from './sealing.ts'
import { openWay } from './way.ts'

/** Computes the chain by the function of the database; the number of records that differ. */
async function brokenLinks(log: Log): Promise<number> {
  const [row] = await log.rows<{ broken: number }>(
    `SELECT count(*)::int AS broken FROM (
       SELECT hash, sha256('\\x01'::bytea || lag(hash, 1, decode(repeat('00', 32), 'hex')) OVER (ORDER BY seq)
                || convert_to(audit_text(r, seq), 'UTF8')) AS right_hash, seq, row_number() OVER (ORDER BY seq) AS place
         FROM audit_records r WHERE seq IS NOT NULL) AS chained
      WHERE hash <> right_hash OR seq <> place`
  )
  return row?.broken ?? -1
}

t.test('what comes is sealed; the first head is stored at once, and the last one at the end', async (t) => {
  const audit = await openLog(t)
  const { lines, log } = memoryLog()
  const { database } = audit
  const sealer = runSealer({ database, log, pause: 20 })
  await audit.append(3)
  await until(() => lines.length > 0)
  await audit.append(4)
  await until(async () => (await counts(audit))?.sealed === 7)
  t.equal((await headsOf(audit)).length, 1, 'less than a minute later')
  await audit.append(1)
  await sealer.close()
  t.strictSame(await counts(audit), { all: 8, sealed: 8, last: 8 })
  t.equal(await brokenLinks(audit), 0)
  const heads = await headsOf(audit)
  t.equal(heads.at(-1)?.seq, 8)
  t.match(
    lines,
    heads.map((head) => ({ level: 'info', event: 'audit_head', ...head }))
  )
  t.equal(heads.length, 2)
})

t.test('many records are sealed in batches, with a head for each thousand', async (t) => {
  const audit = await openLog(t)
  await audit.append(20_500)
  const { log } = memoryLog()
  const began = performance.now()
  const sealer = runSealer({ database: audit.database, log, pause: 20 })
  await until(async () => (await counts(audit))?.sealed === 20_500)
  const took = performance.now() - began
  t.comment(`${Math.round(20_500 / (took / 1000))} records a second`)
  await sealer.close()
  t.strictSame(
    (await headsOf(audit)).map(({ seq }) => seq),
    [...Array.from({ length: 20 }, (_, i) => (i + 1) * 1000), 20_500]
  )
  t.equal(await brokenLinks(audit), 0)
})

t.test('two instances seal one chain while many write, and each head is logged once', async (t) => {
  const audit = await openLog(t)
  const { lines, log } = memoryLog()
  const { database } = audit
  const sealers = [1, 2].map(() => runSealer({ database, log, pause: 5 }))
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      for (let i = 0; i < 100; i += 1) await audit.append(10)
    })
  )
  await Promise.all(sealers.map((sealer) => sealer.close()))
  t.strictSame(await counts(audit), { all: 4000, sealed: 4000, last: 4000 })
  t.equal(await brokenLinks(audit), 0)
  const told = lines.filter(({ event }) => event === 'audit_head').map(({ seq }) => seq)
  t.strictSame(
    (told as number[]).sort((a, b) => a - b),
    (await headsOf(audit)).map(({ seq }) => seq)
  )
  t.equal(lines.length, told.length)
})

t.test('a record of a transaction that is not over is sealed later, and holds up no other', async (t) => {
  const audit = await openLog(t)
  const { log } = memoryLog()
  const sealer = runSealer({ database: audit.database, log, pause: 20 })
  await audit.database.transaction(async (connection) => {
    await connection.query(
      `INSERT INTO audit_records (id, event, outcome, actor_kind, detail, personal_hash)
       VALUES (gen_random_uuid(), 'login', 'done', 'service', '{}', sha256(''))`
    )
    await audit.append(2)
    await until(async () => (await counts(audit))?.sealed === 2)
  })
  await until(async () => (await counts(audit))?.sealed === 3)
  await sealer.close()
  t.equal(await brokenLinks(audit), 0)
})

t.test('while the database is away one line tells, and then it is sealed', async (t) => {
  const audit = await openLog(t)
  const way = await openWay(t, audit.serviceUrl)
  const { lines, log } = memoryLog()
  let answered = 0
  const database = {
    ...way.database,
    query: async (sql: string, values?: readonly unknown[]) => {
      const rows = await way.database.query<never>(sql, values)
      answered += 1
      return rows
    }
  }
  const sealer = runSealer({ database, log, pause: 20 })
  await audit.append(1)
  await until(async () => (await counts(audit))?.sealed === 1)
  const failures = () => lines.filter(({ event }) => event === 'audit_failed')
  for (const round of [1, 2]) {
    way.set(false)
    await until(() => failures().length === round)
    await sleep(200)
    t.equal(failures().length, round, 'one line')
    t.match(failures().at(-1), { level: 'error', message: 'the audit log cannot be sealed now', waiting: 0, lost: 0 })
    await audit.append(1)
    way.set(true)
    await until(async () => (await counts(audit))?.sealed === 1 + round)
    // Only a run that has come to its end shows that the database is back; of one run no more statements follow.
    const before = answered
    await until(() => answered > before + 5)
  }
  way.set(false)
  await sealer.close()
  t.equal(failures().length, 3)
})

t.test('it warns once where the service owns the log', async (t) => {
  const warned = async (t: Test, url: 'ownerUrl' | 'serviceUrl') => {
    const audit = await openLog(t)
    const way = await openWay(t, audit[url])
    const { lines, log } = memoryLog()
    const sealer = runSealer({ database: way.database, log, pause: 5 })
    await audit.append(1)
    await until(async () => (await counts(audit))?.sealed === 1)
    await sealer.close()
    return lines.filter(({ message }) => message === OWNS_LOG).length
  }
  t.equal(await warned(t, 'ownerUrl'), 1)
  t.equal(await warned(t, 'serviceUrl'), 0)
})

t.test('an idle log costs one short statement', async (t) => {
  const audit = await openLog(t)
  const { log } = memoryLog()
  const statements: string[] = []
  const { database } = audit
  const counted = {
    ...database,
    query: (sql: string, values?: readonly unknown[]) => {
      statements.push(sql)
      return database.query<never>(sql, values)
    }
  }
  const sealer = runSealer({ database: counted, log, pause: 20 })
  await until(() => statements.length > 5)
  await sealer.close()
  between(t, new Set(statements).size, { least: 1, most: 2 }, 'the question who owns the log, and this one')
})
