import type { Queryable } from '@latchkey/database/pool'
import type { Statement } from '@latchkey/database/statement'
import type { ActorKind, Outcome } from './record.ts'
import { type Filters, newest, searchOf } from './search.ts'

/** A sealed record as it is read. */
export interface StoredRecord {
  readonly seq: number
  readonly id: string
  /** RFC 3339, in UTC with microseconds. */
  readonly at: string
  readonly event: string
  readonly outcome: Outcome
  readonly actor_kind: ActorKind
  readonly actor_id: string | null
  readonly session_id: string | null
  readonly target_kind: string | null
  readonly target_id: string | null
  readonly request_id: string | null
  readonly detail: Readonly<Record<string, unknown>>
  readonly person_id: string | null
  /** Null: there are none, or they were erased. */
  readonly personal: Readonly<Record<string, unknown>> | null
}

/** Records, the newest first. */
export interface Page {
  readonly records: StoredRecord[]
  /** `after` of the next page; null on the last one. */
  readonly next: number | null
}

/** Most records of a page. */
export const LARGEST_PAGE = 100

/** Most records of a user that one page looks through for those of an event or outcome. */
const LARGEST_STEP = 10_000

/** Most records of the activity of a user. */
const LAST = 100

const COLUMNS = `r.seq, r.id, to_char(r.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at, r.event, r.outcome,
  r.actor_kind, r.actor_id, r.session_id, r.target_kind, r.target_id, r.request_id, r.detail, r.person_id, r.personal`

// The planner takes a range of numbers that it does not know yet for a small one, which it would sort.
const IN_ORDER = '/* audit_search_in_order */ SET LOCAL enable_bitmapscan = off'

/**
 * Reads a page of sealed records, inside a transaction, with at most `limit` of them, which is at most 100. It may have fewer, even none, and
 * yet a `next`: of the records of one user it looks through 10,000 at once for those of an event or outcome. No search
 * takes long, whatever there is in the log.
 *
 * Pages neither repeat nor leave out records while others are sealed or removed: new ones are above the first page.
 */
export async function findRecords(connection: Queryable, filters: Filters, limit: number): Promise<Page> {
  const { values, scans, order, looksThrough } = searchOf(filters)
  await connection.query(IN_ORDER)
  const edge = looksThrough ? await findEdge(connection, filters) : null
  const least = `${order.least}$${values.length + 1}::bigint`
  const parts = scans.map(({ indexed, wanted }) => newest([...indexed, least, ...wanted], order.by, LARGEST_PAGE + 1))
  const found = await connection.query<StoredRecord>(`/* audit_search */ ${rowsOf(parts, LARGEST_PAGE + 1)}`, [
    ...values,
    edge ?? 0
  ])
  const records = found.slice(0, limit)
  return { records, next: found.length > limit ? (records.at(-1)?.seq ?? null) : edge }
}

// The record at which this page has looked through enough; null if it comes to the end.
async function findEdge(connection: Queryable, filters: Filters): Promise<number | null> {
  const { values, scans, order } = searchOf({ ...filters, event: undefined, outcome: undefined })
  const lasts = scans.map(({ indexed }) => `${newest(indexed, order.by, 1)} OFFSET ${LARGEST_STEP - 1}`)
  const [row] = await connection.query<{ edge: number | null }>(
    `/* audit_search_edge */ SELECT max(e.seq) AS edge FROM (${union(lasts)}) e`,
    values
  )
  return row?.edge ?? null
}

/**
 * Reads the last 100 sealed records that concern a user: they acted, it was done to them, or somebody unknown aimed at
 * their account.
 */
export function findActivity(connection: Queryable, user: string): Promise<StoredRecord[]> {
  return connection.query<StoredRecord>(ACTIVITY, [user])
}

const ACTIVITY: Statement = `/* audit_activity */ ${rowsOf(
  [
    ['r.actor_id = $1::uuid'],
    ["r.target_kind = 'user'", 'r.target_id = $1::uuid::text'],
    ['r.person_id = $1::uuid', 'r.personal_salt IS NOT NULL']
  ].map((conditions) => newest(conditions, '-r.seq', LAST)),
  LAST
)}`

/** The rows whose numbers the parts have, each once, the newest first. */
function rowsOf(parts: readonly string[], most: number): string {
  return `SELECT ${COLUMNS} FROM (SELECT u.seq FROM (${union(parts)}) u ORDER BY u.seq DESC LIMIT ${most}) p
    JOIN audit_records r ON r.seq = p.seq AND r.seq IS NOT NULL ORDER BY r.seq DESC`
}

function union(parts: readonly string[]): string {
  return parts.map((part) => `(${part})`).join(' UNION ')
}
