import { BATCH, removeInBatches } from '@latchkey/database/batches'
import type { Queryable } from '@latchkey/database/pool'
import type { Statement } from '@latchkey/database/statement'
import type { NewRecord } from './record.ts'

// The columns in the order of the parameters, with the types of their arrays.
const COLUMNS = {
  id: 'uuid',
  event: 'text',
  outcome: 'text',
  actor_kind: 'text',
  actor_id: 'uuid',
  session_id: 'uuid',
  target_kind: 'text',
  target_id: 'text',
  request_id: 'uuid',
  detail: 'json',
  person_id: 'uuid',
  personal: 'json',
  personal_salt: 'bytea',
  personal_hash: 'bytea'
} as const satisfies Record<keyof NewRecord, string>

const NAMES = Object.keys(COLUMNS) as (keyof NewRecord)[]
const ARRAYS = Object.values(COLUMNS).map((type, i) => `$${i + 1}::${type}[]`)

const INSERT = `INSERT INTO audit_records (${NAMES.join(', ')}) SELECT ${NAMES.map((name) => `r.${name}`).join(', ')}
  FROM unnest(${ARRAYS.join(', ')}) AS r (${NAMES.join(', ')})`

/** Appends records, in the transaction of the change that they tell of. */
export async function writeRecords(connection: Queryable, records: readonly NewRecord[]): Promise<void> {
  await connection.query(`/* audit_append */ ${INSERT}`, columnsOf(records))
}

/**
 * Appends records of refusals. A second time with the same ones writes nothing, and neither does one whose id another
 * record has: where that one's transaction is not over, this waits until it is.
 */
export async function writeRefusals(database: Queryable, records: readonly NewRecord[]): Promise<void> {
  await database.query(`/* audit_append_refusals */ ${INSERT} ON CONFLICT (id) DO NOTHING`, columnsOf(records))
}

function columnsOf(records: readonly NewRecord[]): unknown[] {
  return NAMES.map((name) => records.map((record) => record[name]))
}

// `$1` are the people.
const erase = (most: number, lock: string) => `WITH due AS MATERIALIZED (
    SELECT id FROM audit_records WHERE person_id = ANY ($1::uuid[]) AND personal_salt IS NOT NULL
     LIMIT ${most} FOR NO KEY UPDATE ${lock})
  UPDATE audit_records r SET personal = NULL, personal_salt = NULL FROM due WHERE r.id = due.id RETURNING r.id`

const ERASE_AT_ONCE: Statement = `/* audit_erase */ ${erase(5000, '')}`
// Skips what the sealer holds just now: a later sweep finds it.
const ERASE_BATCH: Statement = `/* audit_erase_rest */ ${erase(BATCH, 'SKIP LOCKED')}`

/**
 * Erases the personal data of a person from the audit log. Their hashes stay, so the chain does too. Part of the
 * transaction that deletes the person.
 *
 * At most 5,000 records, because strangers who aim at an account decide how many there are, and the deletion must end in
 * its time. {@link eraseRest} erases what is left.
 */
export async function erasePerson(connection: Queryable, personId: string): Promise<void> {
  await connection.query(ERASE_AT_ONCE, [[personId]])
}

/** Erases what {@link erasePerson} has left of a person, in batches, after the deletion. */
export async function eraseRest(database: Queryable, personId: string): Promise<void> {
  await removeInBatches(database, { statement: ERASE_BATCH, values: [[personId]] })
}

/**
 * Erases what came late: records of requests that were under way while their person was deleted, and what a deletion that
 * was cut off has left. Looks at those who were deleted in the last two days. Returns how many records it erased.
 */
export async function eraseLate(database: Queryable, stopping?: AbortSignal): Promise<number> {
  const deleted = await database.query<{ id: string }>(
    `/* audit_people_to_erase */ SELECT DISTINCT d.target_id AS id FROM audit_records d JOIN audit_records r ON r.person_id = d.target_id::uuid
      WHERE d.event = 'account_deleted' AND d.outcome = 'done' AND d.seq IS NOT NULL AND d.at > now() - interval '2 days'
        AND r.personal_salt IS NOT NULL LIMIT 1000`,
    []
  )
  if (deleted.length === 0) return 0
  return removeInBatches(database, { statement: ERASE_BATCH, values: [deleted.map(({ id }) => id)] }, stopping)
}
