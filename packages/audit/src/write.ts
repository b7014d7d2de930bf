import type { Queryable } from '@latchkey/database/pool'
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
  await connection.query(INSERT, columnsOf(records))
}

/**
 * Appends records of refusals. A second time with the same ones writes nothing, and neither does one whose id another
 * record has: where that one's transaction is not over, this waits until it is.
 */
export async function writeRefusals(database: Queryable, records: readonly NewRecord[]): Promise<void> {
  await database.query(`${INSERT} ON CONFLICT (id) DO NOTHING`, columnsOf(records))
}

function columnsOf(records: readonly NewRecord[]): unknown[] {
  return NAMES.map((name) => records.map((record) => record[name]))
}

/**
 * Erases the personal data of a person from the audit log. Their hashes stay, so the chain does too. Part of the
 * transaction that deletes the person.
 */
export async function erasePerson(connection: Queryable, personId: string): Promise<void> {
  await connection.query(
    'UPDATE audit_records SET personal = NULL, personal_salt = NULL WHERE person_id = $1 AND personal_salt IS NOT NULL',
    [personId]
  )
}

/**
 * Erases what came late: a record of a request that was under way while its person was deleted. Looks at those who were
 * deleted in the last two days. Returns how many records it erased.
 */
export async function eraseLate(database: Queryable): Promise<number> {
  const erased = await database.query(
    `UPDATE audit_records r SET personal = NULL, personal_salt = NULL FROM audit_records d
      WHERE d.event = 'account_deleted' AND d.outcome = 'done' AND d.seq IS NOT NULL AND d.at > now() - interval '2 days'
        AND r.person_id = d.target_id::uuid AND r.personal_salt IS NOT NULL RETURNING r.id`,
    []
  )
  return erased.length
}
