import type { Queryable } from '@latchkey/database/pool'
import { comparable } from '../users/account.ts'
import { OPEN, sweepDay } from './outbox.ts'
import { PURPOSES, type Purpose } from './purposes.ts'
import type { Outcome } from './queue.ts'

/** A mail of the outbox. Without an outcome it is still tried; the next attempt is at `due_at`. */
export interface ListedMail {
  readonly id: string
  readonly purpose: Purpose
  readonly outcome: Outcome | null
  readonly attempts: number
  readonly asked_at: Date
  readonly due_at: Date
  readonly done_at: Date | null
  readonly last_error: string | null
}

/** How many mails are listed at most. */
const MOST = 100

/** Returns the newest mails to an address, and those of the account that has it. They are kept for a week. */
export async function listMails(database: Queryable, address: string): Promise<ListedMail[]> {
  return database.query<ListedMail>(
    `/* mails_of_address */ SELECT m.id, m.purpose, m.outcome, m.attempts, m.asked_at, m.due_at, m.done_at, m.last_error
       FROM mails m LEFT JOIN users u ON u.id = m.user_id LEFT JOIN signups g ON g.id = m.signup_id
      WHERE ${comparable('$1')} IN (${comparable('m.email')}, ${comparable('u.email')}, ${comparable('g.email')})
      ORDER BY m.asked_at DESC, m.id LIMIT ${MOST}`,
    [address]
  )
}

/**
 * Sends an undelivered mail once more: as a new mail, so that the old one stays in the list.
 *
 * Returns the id of the new mail. Returns nothing if there is no such mail, if it was not refused or late, or if a mail
 * of the same purpose waits already.
 */
export async function repeatMail(database: Queryable, id: string): Promise<string | undefined> {
  const [failed] = await database.query<{ purpose: Purpose }>(
    "/* mail_failed */ SELECT purpose FROM mails WHERE id = $1 AND outcome IN ('refused', 'late')",
    [id]
  )
  if (!failed) return undefined
  const [repeated] = await database.query<{ id: string }>(
    `/* mail_repeat */ INSERT INTO mails (id, purpose, user_id, signup_id, email, limited, asked_at, due_at, give_up_at, sweep_on)
     SELECT gen_random_uuid(), purpose, user_id, signup_id, email, limited, now(), now(), now() + make_interval(secs => $2::float8),
            ${sweepDay('now()', '$2')}
       FROM mails WHERE id = $1
     ON CONFLICT (user_id, purpose) WHERE ${OPEN} DO NOTHING RETURNING id`,
    [id, PURPOSES[failed.purpose].patience]
  )
  return repeated?.id
}
