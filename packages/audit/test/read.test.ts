import { randomUUID } from 'node:crypto'
import type { Queryable } from '@latchkey/database/pool'
import { assert, asyncProperty, constantFrom, integer, option, record } from 'fast-check'
import pg from 'pg'
import t from 'tap'
import { findActivity, findRecords, type Page, type StoredRecord } from '../src/read.ts'
import { recordOf, refusalOf } from '../src/record.ts'
import type { Filters } from '../src/search.ts'
import { writeRecords } from '../src/write.ts'
import { type Log, openLog } from './log.ts'

const [ada, bob, eve, nobody] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()]
const source = { requestId: randomUUID(), ip: '192.0.2.7', userAgent: 'a test' }

/** One of each kind, whose actor, target and person differ. */
const KINDS = [
  () => recordOf('login', { user: ada, session: randomUUID() }, source),
  () => recordOf('username_changed', { user: bob }, source),
  () => recordOf('user_disabled', { user: ada, by: eve, session: randomUUID() }, source),
  () => recordOf('user_enabled', { user: bob }, { command: 'enable' }),
  () => recordOf('key_signs', { kind: 'access', kid: 'k1' }, {}),
  () => refusalOf({ event: 'login', outcome: 'refused', code: 'invalid_credentials', account: ada, source }),
  () =>
    refusalOf({
      event: 'user_disabled',
      outcome: 'failed',
      code: 'unavailable',
      actor: { kind: 'admin', id: eve, session: randomUUID() },
      target: { kind: 'user', id: bob },
      source
    })
]

const pageOf = (log: Log, filters: Filters, limit: number): Promise<Page> =>
  log.database.transaction((connection) => findRecords(connection, filters, limit))

/** All that a search finds, page by page. */
async function allOf(log: Log, filters: Filters, limit: number): Promise<StoredRecord[]> {
  const found: StoredRecord[] = []
  for (let { after } = filters; ; ) {
    const { records, next } = await pageOf(log, { ...filters, after }, limit)
    found.push(...records)
    if (next === null) return found
    after = next
  }
}

/** What a search should find, by its definition. */
function isWanted({ user, event, outcome, from, to, after }: Filters, one: StoredRecord): boolean {
  return (
    (user === undefined || one.actor_id === user || one.target_id === user) &&
    (event === undefined || one.event === event) &&
    (outcome === undefined || one.outcome === outcome) &&
    (from === undefined || one.at >= from) &&
    (to === undefined || one.at < to) &&
    (after === undefined || one.seq < after)
  )
}

const second = (n: number) =>
  `2026-01-01T00:${String(Math.floor(n / 60)).padStart(2, '0')}:${String(n % 60).padStart(2, '0')}.000000Z`

/** A log whose times go up and down, by up to a hundred seconds. */
async function logOfManyKinds(t: Parameters<typeof openLog>[0]): Promise<Log> {
  const log = await openLog(t)
  for (let batch = 0; batch < 12; batch += 1) {
    await writeRecords(
      log.database,
      Array.from({ length: 21 }, (_, i) => (KINDS[i % KINDS.length] ?? KINDS[0])?.()).filter((one) => one !== undefined)
    )
    const start = batch * 20 + (batch % 3 === 0 ? 0 : batch % 3 === 1 ? 100 : 40)
    await log.asOwner(
      `UPDATE audit_records r SET at = timestamptz '2026-01-01Z' + (${start} + p.place) * interval '1 second'
         FROM (SELECT id, row_number() OVER (ORDER BY at, id) AS place FROM audit_records WHERE seq IS NULL) p
        WHERE r.id = p.id`
    )
    await log.seal()
  }
  return log
}

t.test('a search finds what its filters say, and all of it, in pages of any size', async (t) => {
  const log = await logOfManyKinds(t)
  const every = await allOf(log, {}, 100)
  t.equal(every.length, 252)
  t.ok(
    every.some((one, i) => one.at > (every[i - 1]?.at ?? '9')),
    'times go back'
  )
  const filter = <T>(...values: T[]) => option(constantFrom(...values), { nil: undefined })
  const search = record({
    user: filter(ada, bob, eve, nobody),
    event: filter('login', 'username_changed', 'user_disabled', 'key_signs', 'signup'),
    outcome: filter('done', 'refused', 'failed'),
    from: option(integer({ min: 0, max: 400 }).map(second), { nil: undefined }),
    to: option(integer({ min: 0, max: 400 }).map(second), { nil: undefined }),
    after: option(integer({ min: 1, max: 300 }), { nil: undefined })
  }) as ReturnType<typeof record<Filters>>
  await assert(
    asyncProperty(search, integer({ min: 1, max: 100 }), async (filters, limit) => {
      const found = (await allOf(log, filters, limit)).map(({ seq }) => seq)
      const expected = every.filter((one) => isWanted(filters, one)).map(({ seq }) => seq)
      return JSON.stringify(found) === JSON.stringify(expected)
    }),
    { numRuns: 300 }
  )
})

t.test('a record comes as it is stored; what is not sealed does not come', async (t) => {
  const log = await openLog(t)
  const wanted = recordOf('user_disabled', { user: ada, by: eve, session: randomUUID() }, source)
  await writeRecords(log.database, [wanted])
  t.strictSame(await pageOf(log, {}, 100), { records: [], next: null })
  await log.seal()
  const { records } = await pageOf(log, {}, 100)
  const { id, event, outcome, actor_kind, actor_id, session_id, target_kind, target_id, request_id, person_id } = wanted
  t.match(records, [
    {
      ...{ id, event, outcome, actor_kind, actor_id, session_id, target_kind, target_id, request_id, person_id },
      ...{ seq: 1, at: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/, detail: {} },
      personal: { ip: '192.0.2.7', user_agent: 'a test' }
    }
  ])
  t.strictSame(await log.rows(`SELECT at = '${records[0]?.at}' AS same FROM audit_records`), [{ same: true }])
})

t.test(
  'pages neither repeat nor leave out records while ten write, others seal and old ones are removed',
  async (t) => {
    const log = await openLog(t)
    await log.append(600, ada)
    await log.seal()
    await log.storeHead()
    await log.append(600, ada)
    await log.seal()
    await log.asOwner(`UPDATE audit_records SET at = at - interval '500 days' WHERE seq <= 600`)

    let over = false
    const writers = Array.from({ length: 10 }, async () => {
      while (!over) await log.append(3, ada)
    })
    const sealer = (async () => {
      while (!over) await log.seal()
    })()
    const [seen, ofAda] = [new Set<number>(), new Set<number>()]
    let first = 0
    for (let after: number | undefined, pages = 0; ; pages += 1) {
      if (pages === 3) t.same(await log.database.query('SELECT records FROM audit_prune(10000)'), [{ records: 600 }])
      const { records, next } = await pageOf(log, { after }, 50)
      first ||= records[0]?.seq ?? 0
      for (const { seq } of records) {
        t.notOk(seen.has(seq), `${seq} came twice`)
        seen.add(seq)
      }
      for (const { seq } of (await pageOf(log, { user: ada, event: 'login', after: after ?? first + 1 }, 50)).records) {
        ofAda.add(seq)
      }
      if (next === null) break
      after = next
    }
    over = true
    await Promise.all([...writers, sealer])
    const [kept] = await log.rows<{ count: string }>(`SELECT count(*) FROM audit_records WHERE seq <= ${first}`)
    t.equal(seen.size, Number(kept?.count))
    t.strictSame([...ofAda], [...seen], 'nor where it is searched for')
    t.ok(seen.has(601) && !seen.has(600))
  }
)

/** Adds sealed records of a user at once, whose event depends on the number `i`. */
const addMany = (log: Log, count: number, event: string) =>
  log.asOwner(
    `INSERT INTO audit_records (id, at, event, outcome, actor_kind, actor_id, detail, personal_hash, seq, hash)
       SELECT gen_random_uuid(), timestamptz '2026-01-01Z' + i * interval '1 second', ${event}, 'done', 'user', '${ada}', '{}',
         sha256(''), i, sha256('') FROM generate_series(1, ${count}) i;
     ANALYZE audit_records`
  )

t.test('among many records of a user, each page looks through some, and all pages find all', async (t) => {
  const log = await openLog(t)
  // The first at which a page stops, and the one below it.
  await addMany(log, 25_000, "CASE WHEN i IN (15001, 15000, 1) THEN 'logout' ELSE 'login' END")
  const found = await allOf(log, { user: ada, event: 'logout' }, 100)
  t.strictSame(
    found.map(({ seq }) => seq),
    [15_001, 15_000, 1]
  )
  t.match(await pageOf(log, { user: ada, event: 'logout' }, 100), { records: [{ seq: 15_001 }], next: 15_001 })
  t.strictSame(await pageOf(log, { user: ada, outcome: 'refused' }, 100), { records: [], next: 15_001 })
  t.strictSame(await allOf(log, { user: ada, outcome: 'refused' }, 100), [])
})

/** The nodes of a plan that read the table of records. */
interface Plan {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly Plans?: Plan[]
}

const readers = (plan: Plan): string[] => [
  ...(plan['Relation Name'] === 'audit_records' ? [plan['Node Type']] : []),
  ...(plan.Plans ?? []).flatMap(readers)
]

/** How a statement reads records otherwise than in the order of an index, if its plan is made for any values. */
async function notByIndex(connection: Queryable<string>, sql: string, values: readonly unknown[]): Promise<string[]> {
  await connection.query(`PREPARE search AS ${sql}`)
  const literals = values.map((value) => pg.escapeLiteral(String(value)))
  const [row] = await connection.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(
    `EXPLAIN (FORMAT JSON) EXECUTE search (${literals.join()})`
  )
  await connection.query('DEALLOCATE search')
  return (row?.['QUERY PLAN'] ?? [])
    .flatMap((one) => readers(one.Plan))
    .filter((scan) => !/^Index (Only )?Scan$/.test(scan))
}

t.test('no search reads the whole log, or sorts what it finds: each scan is that of an index', async (t) => {
  const log = await openLog(t)
  // Fewer would be read at once.
  await addMany(log, 40_000, "CASE i % 5 WHEN 0 THEN 'logout' ELSE 'login' END")
  const [from, to] = [second(0), '2099-01-01T00:00:00Z']
  const one: Filters = { user: ada, event: 'login', outcome: 'done', from, to, after: 35_000 }
  const names = Object.keys(one) as (keyof Filters)[]
  for (let mask = 0; mask < 2 ** names.length; mask += 1) {
    const chosen = names.filter((_, i) => mask & (1 << i))
    await log.database.transaction(async (connection) => {
      await connection.query('SET LOCAL plan_cache_mode = force_generic_plan')
      const explaining: Queryable<string> = {
        query: async <R extends object>(sql: string, values?: readonly unknown[]) => {
          if (values === undefined) return connection.query<R>(sql)
          t.strictSame(await notByIndex(connection, sql, values), [], chosen.join())
          return connection.query<R>(sql, values)
        }
      }
      await findRecords(explaining, Object.fromEntries(chosen.map((name) => [name, one[name]])), 50)
    })
  }
})

t.test("a user's activity is what they did, what was done to them, and who aimed at their account", async (t) => {
  const log = await logOfManyKinds(t)
  const every = await allOf(log, {}, 100)
  for (const user of [ada, bob, eve]) {
    const mine = every.filter(({ actor_id, target_id, person_id }) => [actor_id, target_id, person_id].includes(user))
    t.strictSame(
      (await findActivity(log.database, user)).map(({ seq }) => seq),
      mine.slice(0, 100).map(({ seq }) => seq)
    )
  }
  t.strictSame(await findActivity(log.database, nobody), [])
})
