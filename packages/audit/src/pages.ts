import type { Queryable } from '@latchkey/database/pool'
import type { Statement } from '@latchkey/database/statement'
import type { SealedRecord } from './chain.ts'

const COLUMNS = `id, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at, event, outcome, actor_kind, actor_id,
  session_id, target_kind, target_id, request_id, detail::text AS detail, person_id, personal::text AS personal, personal_salt,
  personal_hash, seq, hash`

/** Records that are read at once. */
const PAGE = 1000

/** A uuid before all others, and numbers before all others and after all that JavaScript knows exactly. */
const FIRST_ID = '00000000-0000-0000-0000-000000000000'
const LEAST = Number.MIN_SAFE_INTEGER
const MOST = Number.MAX_SAFE_INTEGER

// Also by id: without its unique index, which the owner can drop, two records can have one number.
const NEXT: Statement = `/* audit_records_next */ SELECT ${COLUMNS} FROM audit_records
  WHERE seq >= $1 AND seq <= $2 AND (seq, id) > ($1, $3::uuid) ORDER BY seq, id LIMIT ${PAGE}`

/**
 * Makes the rest of a transaction read by indexes. Without statistics, as after a time of many records, the planner would
 * sort all of them for each page.
 */
export async function readByIndex(connection: Queryable): Promise<void> {
  const settings = ['enable_seqscan', 'enable_bitmapscan', 'enable_sort']
  await connection.query(
    `/* audit_read_by_index */ SELECT ${settings.map((name) => `set_config('${name}', 'off', true)`).join(', ')}`
  )
}

/** Reads the sealed records from one number to another, both included, in pages. */
export async function* pagesOf(
  connection: Queryable,
  from: number = LEAST,
  to: number = MOST
): AsyncGenerator<SealedRecord[]> {
  let [seq, id] = [from, FIRST_ID]
  for (;;) {
    const page = await connection.query<SealedRecord>(NEXT, [seq, to, id])
    const last = page.at(-1)
    if (last) yield page
    if (!last || page.length < PAGE) return
    ;({ seq, id } = last)
  }
}

/** Reads single records by their numbers. */
export function recordsAt(connection: Queryable, places: readonly number[]): Promise<SealedRecord[]> {
  return connection.query(
    `/* audit_records_at */ SELECT ${COLUMNS} FROM audit_records WHERE seq = ANY ($1::bigint[]) ORDER BY seq, id`,
    [places]
  )
}

/** A stored head. */
export interface StoredHead {
  readonly seq: number
  readonly hash: Buffer
  readonly jws: string | null
  readonly at: Date
}

/** Reads the stored heads from one number to another, both included. */
export function storedHeads(connection: Queryable, from: number, to: number): Promise<StoredHead[]> {
  return connection.query(
    '/* audit_heads_between */ SELECT seq, hash, jws, at FROM audit_heads WHERE seq BETWEEN $1 AND $2 ORDER BY seq',
    [from, to]
  )
}

/** The stored heads outside of the numbers from one to another: how many, and the first and last of them. */
export async function headsOutside(connection: Queryable, from: number, to: number) {
  const [found] = await connection.query<{ count: number; first: number | null; last: number | null }>(
    '/* audit_heads_outside */ SELECT count(*), min(seq) AS first, max(seq) AS last FROM audit_heads WHERE seq < $1 OR seq > $2',
    [from, to]
  )
  return found ?? { count: 0, first: null, last: null }
}

/** The ends of the chain that are stored; there should be one. */
export function storedEnds(connection: Queryable): Promise<{ seq: number; hash: Buffer }[]> {
  return connection.query('/* audit_ends */ SELECT seq, hash FROM audit_head LIMIT 2')
}

/** How many records have a number that no service can have given. */
export async function countBeyond(connection: Queryable): Promise<number> {
  const [found] = await connection.query<{ count: number }>(
    '/* audit_records_beyond */ SELECT count(*) FROM audit_records WHERE seq > $1',
    [MOST]
  )
  return found?.count ?? 0
}

/** The records that are not sealed yet, and the time of the oldest. */
export async function unsealed(connection: Queryable): Promise<{ count: number; oldest: Date | null }> {
  const [found] = await connection.query<{ count: number; oldest: Date | null }>(
    '/* audit_records_unsealed */ SELECT count(*), min(at) AS oldest FROM audit_records WHERE seq IS NULL'
  )
  return found ?? { count: 0, oldest: null }
}

/** Of these people, those whose account was deleted, as a record tells, sealed or not. */
export async function deletedAmong(connection: Queryable, people: readonly string[]): Promise<Set<string>> {
  const found = await connection.query<{ person: string }>(
    `/* audit_people_deleted */ SELECT target_id AS person FROM audit_records
       WHERE target_id = ANY ($1) AND event = 'account_deleted' AND outcome = 'done' AND seq IS NOT NULL
     UNION SELECT target_id FROM audit_records
       WHERE target_id = ANY ($1) AND event = 'account_deleted' AND outcome = 'done' AND seq IS NULL`,
    [people]
  )
  return new Set(found.map(({ person }) => person))
}

/** What the newest record of a removal says: its id, the last number that was removed, and the hash of that one. */
export interface Pruned {
  readonly id: string
  readonly seq: number
  /** In hex. */
  readonly hash: string
}

// By its text, as audit_prune() writes it: taking JSON apart in the database is an error for some texts, such as \\u0000.
const DETAIL = String.raw`'^\s*\{\s*"seq"\s*:\s*([0-9]{1,15})\s*,\s*"hash"\s*:\s*"([0-9a-f]{64})"'`
const PRUNED = `SELECT r.id, told[1]::bigint AS seq, told[2] AS hash
  FROM audit_records r, regexp_match(r.detail::text, ${DETAIL}) AS told
  WHERE r.event = 'audit_pruned' AND r.outcome = 'done' AND told IS NOT NULL`

/** Reads the record of the furthest removal, sealed or not. */
export async function lastPruned(connection: Queryable): Promise<Pruned | undefined> {
  const [pruned] = await connection.query<Pruned>(
    `/* audit_pruned_last */ SELECT * FROM (${PRUNED} AND r.seq IS NOT NULL UNION ALL ${PRUNED} AND r.seq IS NULL) AS p ORDER BY p.seq DESC LIMIT 1`
  )
  return pruned
}
