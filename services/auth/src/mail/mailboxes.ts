import { createHash } from 'node:crypto'
import type { Database } from '@latchkey/database/pool'
import { counts, withinLimit } from './limit.ts'
import type { ClaimedMail } from './queue.ts'

// The condition of the day lets an index find the rows.
const SENT = counts(
  'mailings m',
  'm.sent_at',
  "m.address_hash = $2 AND m.purpose = $3 AND m.sent_at > now() - interval '1 day'"
)

/**
 * Says whether a mail may go to its address now, and counts it. The limit is that of an address, whichever accounts the
 * mails are of: otherwise many accounts, or one that is deleted and made again, could flood a mailbox.
 *
 * `resetLife` is the life of a reset code in seconds. A mail that was counted is not asked again.
 */
export async function mayGoTo(database: Database, mail: ClaimedMail, to: string, resetLife: number): Promise<boolean> {
  const address = createHash('sha256').update(to.toLowerCase()).digest()
  return database.transaction(async (connection) => {
    // One mail to an address at a time, so that the count is exact.
    await connection.query('/* mailbox_lock */ SELECT pg_advisory_xact_lock($1::bigint)', [
      address.readBigInt64BE().toString()
    ])
    const counted = await connection.query(
      `/* mailbox_count */ INSERT INTO mailings (mail_id, address_hash, purpose, sent_at, sweep_on)
       SELECT $1, $2, $3, now(), now()::date + 2 FROM ${SENT} s
        WHERE ${withinLimit('$3', '$4')} OR EXISTS (SELECT FROM mailings m WHERE m.mail_id = $1)
       ON CONFLICT (mail_id) DO UPDATE SET mail_id = excluded.mail_id RETURNING mail_id`,
      [mail.id, address, mail.purpose, resetLife]
    )
    return counted.length > 0
  })
}
