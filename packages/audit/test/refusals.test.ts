import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { between } from '@latchkey/testing/between'
import t from 'tap'
import { recordOf } from '../src/record.ts'
import { BOUNDS } from '../src/refusal-bounds.ts'
import { createRefusals } from '../src/refusals.ts'
import { writeRecords } from '../src/write.ts'
import { type Log, openLog } from './log.ts'
import { memoryLog } from './memory-log.ts'
import { refusedLogin } from './refused.ts'
import { openWay } from './way.ts'

interface Row {
  readonly id: string
  readonly event: string
  readonly outcome: string
  readonly request_id: string | null
  readonly detail: Record<string, unknown>
  readonly personal: Record<string, unknown> | null
}

const rowsOf = (log: Log) =>
  log.rows<Row>('SELECT id, event, outcome, request_id, detail, personal FROM audit_records ORDER BY at, event, id')

/** Waits until so many records are there. */
async function waitFor(log: Log, count: number): Promise<Row[]> {
  for (;;) {
    const rows = await rowsOf(log)
    if (rows.length >= count) return rows
    await sleep(20)
  }
}

t.test('the first of the same refusals is written at once, the others as their number', async (t) => {
  const audit = await openLog(t)
  const { lines, log } = memoryLog()
  const refusals = createRefusals({ database: audit.database, log, bounds: { ...BOUNDS, window: 1500 } })
  const first = refusedLogin('192.0.2.1')
  for (let i = 0; i < 5; i += 1)
    refusals.add({ ...first, source: { ...first.source, ...(i > 0 && { requestId: 'x' }) } })
  const [row] = await waitFor(audit, 1)
  t.match(row, {
    event: 'login',
    outcome: 'refused',
    request_id: first.source.requestId,
    detail: { code: 'invalid_credentials' },
    personal: { ip: '192.0.2.1', user_agent: 'a test' }
  })
  const rows = await waitFor(audit, 2)
  t.match(rows[1], { event: 'login', request_id: null, detail: { code: 'invalid_credentials', repeated: 4 } })
  await refusals.close()
  t.equal((await rowsOf(audit)).length, 2)
  t.strictSame(lines, [])
})

t.test('at its end it writes what waits and what is counted', async (t) => {
  const audit = await openLog(t)
  const { lines, log } = memoryLog()
  const refusals = createRefusals({ database: audit.database, log })
  for (const client of ['192.0.2.1', '192.0.2.1', '192.0.2.2', '192.0.2.1']) refusals.add(refusedLogin(client))
  await refusals.close()
  const details = (await rowsOf(audit)).map(({ detail }) => detail['repeated'])
  t.strictSame(details.sort(), [2, undefined, undefined])
  refusals.add(refusedLogin('192.0.2.3'))
  t.match(lines, [{ level: 'error', event: 'audit_failed', waiting: 0, lost: 1 }], 'after it nothing is written')
  t.equal((await rowsOf(audit)).length, 3)
})

t.test('what is left out is a record and a line with its number, once a window', async (t) => {
  const audit = await openLog(t)
  const { lines, log } = memoryLog()
  const bounds = { ...BOUNDS, burst: 3, perSecond: 0.001, window: 400 }
  const refusals = createRefusals({ database: audit.database, log, bounds })
  for (let i = 0; i < 10; i += 1) refusals.add(refusedLogin(`192.0.2.${i}`))
  const rows = await waitFor(audit, 4)
  t.strictSame(rows.map(({ event }) => event).sort(), ['audit_left_out', 'login', 'login', 'login'])
  t.match(
    rows.find(({ event }) => event === 'audit_left_out'),
    { outcome: 'done', detail: { refusals: 7 }, personal: null }
  )
  refusals.add(refusedLogin('192.0.2.10'))
  await refusals.close()
  t.match((await rowsOf(audit)).at(-1), { event: 'audit_left_out', detail: { refusals: 1 } })
  t.match(lines, [
    { level: 'warn', event: 'audit_left_out', refusals: 7 },
    { level: 'warn', event: 'audit_left_out', refusals: 1 }
  ])
})

t.test('a refusal of a change that was made after all is no record', async (t) => {
  const audit = await openLog(t)
  const { log } = memoryLog()
  const refusals = createRefusals({ database: audit.database, log })
  const recorded = (event: 'login') => recordOf(event, { user: randomUUID(), session: randomUUID() }, {})
  const [made, pending, undone] = [recorded('login'), recorded('login'), recorded('login')]
  await writeRecords(audit.database, [made])
  const failed = { outcome: 'failed', code: 'unavailable' } as const
  // The commit comes after the refusal, as when only the answer of a slow commit was lost.
  await audit.database.transaction(async (connection) => {
    await writeRecords(connection, [pending])
    for (const { id } of [made, pending, undone, undone]) {
      refusals.add(refusedLogin('192.0.2.1', { ...failed, unless: id }))
    }
    refusals.add(refusedLogin('192.0.2.1'))
    await waitFor(audit, 2)
  })
  await refusals.close()
  const rows = await rowsOf(audit)
  t.equal(rows.length, 4, 'one each, and the one that is in no doubt did not wait')
  const outcomes = new Map(rows.map(({ id, outcome }) => [id, outcome]))
  t.equal(outcomes.get(made.id), 'done')
  t.equal(outcomes.get(pending.id), 'done')
  t.equal(outcomes.get(undone.id), 'failed')
})

t.test('a record that the database can never take is lost alone, and is told', async (t) => {
  const audit = await openLog(t)
  const { lines, log } = memoryLog()
  const refusals = createRefusals({ database: audit.database, log })
  refusals.add(refusedLogin('192.0.2.1'))
  refusals.add(refusedLogin('192.0.2.2', { target: { kind: 'session', id: 'a\0b' } }))
  refusals.add(refusedLogin('192.0.2.3'))
  t.equal((await waitFor(audit, 2)).length, 2)
  await refusals.close()
  t.match(lines, [{ level: 'error', event: 'audit_failed', waiting: 0, lost: 1 }])
})

t.test('while the database is away refusals wait, one line tells, and they are written later', async (t) => {
  const audit = await openLog(t)
  const way = await openWay(t, audit.serviceUrl)
  const { lines, log } = memoryLog()
  const refusals = createRefusals({ database: way.database, log, bounds: { ...BOUNDS, burst: 2000, window: 500 } })
  way.set(false)
  for (let i = 0; i < 1500; i += 1) refusals.add(refusedLogin(`192.0.2.${i}`))
  while (lines.length === 0) await sleep(20)
  // A second attempt fails as well.
  await sleep(1500)
  t.match(lines, [{ level: 'error', event: 'audit_failed', waiting: 1000, lost: 0 }])
  t.equal(lines.length, 1)
  way.set(true)
  const rows = await waitFor(audit, 1001)
  t.match(
    rows.filter(({ event }) => event === 'audit_left_out').map(({ detail }) => detail),
    [{ refusals: 500 }]
  )
  way.set(false)
  refusals.add(refusedLogin('192.0.2.1', { code: 'later' }))
  while (lines.length < 3) await sleep(20)
  t.match(lines.slice(1), [
    { event: 'audit_left_out', refusals: 500 },
    { event: 'audit_failed', waiting: 1, lost: 0 }
  ])
  await refusals.close()
  t.match(
    lines.slice(3),
    [{ level: 'error', event: 'audit_failed', waiting: 0, lost: 1 }],
    'its end tells what is lost'
  )
})

t.test('a flood is bounded in records, and each refusal of it is written or counted', async (t) => {
  const audit = await openLog(t)
  const { log } = memoryLog()
  const refusals = createRefusals({ database: audit.database, log })
  const all = 100_000
  const heap = process.memoryUsage().heapUsed
  const began = performance.now()
  for (let i = 0; i < all; i += 1) {
    refusals.add(refusedLogin(`2001:db8:0:${(i % 40_000).toString(16)}::`))
    if (i % 1000 === 999) await sleep(1)
  }
  const took = performance.now() - began
  const grown = process.memoryUsage().heapUsed - heap
  await refusals.close()
  const rows = await rowsOf(audit)
  t.comment(
    `${all} refusals in ${Math.round(took)} ms: ${rows.length} records, ${Math.round(grown / 1024)} KiB of heap`
  )
  between(t, rows.length, { least: BOUNDS.burst, most: BOUNDS.burst + (took / 1000) * BOUNDS.perSecond + 50 })
  const told = rows.reduce(
    (sum, { event, detail: { repeated, refusals: leftOut } }) =>
      sum + (event === 'audit_left_out' ? Number(leftOut) : Number(repeated ?? 1)),
    0
  )
  t.equal(told, all)
})
