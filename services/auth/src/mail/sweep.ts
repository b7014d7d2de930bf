import { BATCH, removeInBatches } from '@latchkey/database/batches'
import type { Queryable } from '@latchkey/database/pool'
import type { Statement } from '@latchkey/database/statement'
import { KEPT } from './outbox.ts'
import { OVER } from './signups.ts'

const old = (table: string, name: string, key: string, condition: string): Statement => `/* ${table}_sweep */
  WITH old AS MATERIALIZED (
    SELECT ${name}.${key} FROM ${table} ${name} WHERE ${name}.sweep_on <= now()::date AND ${condition}
     ORDER BY ${name}.sweep_on LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)
  DELETE FROM ${table} ${name} USING old WHERE ${name}.${key} = old.${key} RETURNING ${name}.${key}`

const STATEMENTS = [
  old('codes', 'c', 'code_hash', 'c.expires_at < now()'),
  old('mails', 'm', 'id', `coalesce(m.done_at, m.give_up_at) < now() - interval '${KEPT} days'`),
  old('mailings', 'n', 'mail_id', "n.sent_at < now() - interval '1 day'"),
  old('signups', 'g', 'id', OVER)
]

/**
 * Removes expired codes, mails that ended more than a week ago, and sign-ups whose code was not entered. Returns the
 * number of rows.
 */
export async function sweepMails(database: Queryable, stopping?: AbortSignal): Promise<number> {
  let removed = 0
  for (const statement of STATEMENTS) removed += await removeInBatches(database, { statement }, stopping)
  return removed
}
