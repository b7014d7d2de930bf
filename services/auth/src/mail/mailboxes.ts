import { createHash } from 'node:crypto'
import type { Database } from '@latchkey/database/pool'
import { MOST_MAILS } from './purposes.ts'
import type { ClaimedMail } from './queue.ts'

// A reset has no daily limit: beyond three an hour, one more may go when the code of the last has expired.
const RULE = `CASE $3 WHEN 'reset_password' THEN s.hour < ${MOST_MAILS.hour} OR s.last < now() - make_interval(secs => $4)
  ELSE s.hour < ${MOST_MAILS.hour} AND s.day < ${MOST_MAILS.day} END`

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
    await connection.query('SELECT pg_advisory_xact_lock($1::bigint)', [address.readBigInt64BE().toString()])
    const counted = await connection.query(
      `WITH s AS (
         SELECT count(*) FILTER (WHERE m.sent_at > now() - interval '1 hour') AS hour, count(*) AS day, max(m.sent_at) AS last
           FROM mailings m WHERE m.address_hash = $2 AND m.purpose = $3 AND m.sent_at > now() - interval '1 day')
       INSERT INTO mailings (mail_id, address_hash, purpose, sent_at, sweep_on)
       SELECT $1, $2, $3, now(), now()::date + 2 FROM s
        WHERE ${RULE} OR EXISTS (SELECT FROM mailings m WHERE m.mail_id = $1)
       ON CONFLICT (mail_id) DO UPDATE SET mail_id = excluded.mail_id RETURNING mail_id`,
      [mail.id, address, mail.purpose, resetLife]
    )
    return counted.length > 0
  })
}
