import type { Queryable } from '@latchkey/database/pool'
import { type AskedPurpose, MOST_MAILS, PURPOSES, type Purpose } from './purposes.ts'

/** A mail to a user, because of a change. It goes to `email`, or without one to the user's present address. */
export interface Mail {
  readonly purpose: Purpose
  readonly userId: string
  readonly email?: string
}

/** What endpoints can do about mail. If mail is off, nothing is stored. */
export interface Outbox {
  /** Whether mails can be sent. */
  readonly isOn: boolean
  /** Adds a mail, in the transaction of its change. It replaces an unsent mail of the same purpose in {@link OPEN}. */
  add(connection: Queryable, mail: Mail): Promise<void>
  /** Notes that a stranger has asked for a mail. Does the same for every address, known or unknown. */
  ask(database: Queryable, purpose: Exclude<AskedPurpose, 'sign_up'>, email: string): Promise<void>
  /** Sends what was added. Call it after the commit; it returns at once. */
  wake(): void
}

/** Makes the outbox; `wake` sends what is due. */
export function createOutbox(wake: () => void): Outbox {
  return { isOn: true, add, ask, wake }
}

/** The outbox of a service that cannot send mail. */
export const NO_OUTBOX: Outbox = {
  isOn: false,
  add: async () => {},
  ask: async () => {},
  wake: () => {}
}

// If a user asks for two changes of address, the second one counts. The mail gets another id, so that an attempt with
// the old id makes no code.
async function add(connection: Queryable, { purpose, userId, email }: Mail): Promise<void> {
  await connection.query(
    `INSERT INTO mails AS m (id, purpose, user_id, email, asked_at, due_at, give_up_at, sweep_on)
     VALUES (gen_random_uuid(), $1, $2, $3, now(), now(), now() + make_interval(secs => $4::float8), ${sweepDay('now()', '$4')})
     ON CONFLICT (user_id, purpose) WHERE ${OPEN} DO UPDATE
       SET id = excluded.id, email = excluded.email, asked_at = excluded.asked_at, due_at = excluded.due_at,
           give_up_at = excluded.give_up_at, attempts = 0, last_error = NULL, sweep_on = excluded.sweep_on`,
    [purpose, userId, email ?? null, PURPOSES[purpose].patience]
  )
}

async function ask(database: Queryable, purpose: AskedPurpose, email: string): Promise<void> {
  await database.query('INSERT INTO mail_requests (purpose, email, asked_at) VALUES ($1, $2, now())', [purpose, email])
}

/** The condition of the index `mails_open`. */
export const OPEN =
  "done_at IS NULL AND purpose IN ('verify_email', 'reset_password', 'change_email', 'address_taken', 'invitation')"

/** Days that a mail is kept after its end. */
export const KEPT = 7

/** SQL of the earliest day to delete a mail that is tried for `patience` seconds; `patience` is a parameter. */
export const sweepDay = (from: string, patience: string) =>
  `(${from} + make_interval(secs => ${patience}::float8))::date + ${KEPT + 1}`

/**
 * Says in how many seconds a user may ask for another mail of this purpose; 0: now. Three an hour and ten a day are
 * allowed.
 */
export async function waitForMail(connection: Queryable, userId: string, purpose: Purpose): Promise<number> {
  const [row] = await connection.query<{ wait: number }>(
    `SELECT greatest(0, extract(epoch FROM max(asked_at) FILTER (WHERE nth = $3) + interval '1 hour' - now()),
                        extract(epoch FROM max(asked_at) FILTER (WHERE nth = $4) + interval '1 day' - now()))::float8 AS wait
       FROM (SELECT asked_at, row_number() OVER (ORDER BY asked_at DESC) AS nth
               FROM mails WHERE user_id = $1 AND purpose = $2) AS newest`,
    [userId, purpose, MOST_MAILS.hour, MOST_MAILS.day]
  )
  return row?.wait ?? 0
}

/** Deletes the mails and codes of a user whose account is deleted. Part of a transaction. */
export async function forgetMails(connection: Queryable, userId: string): Promise<void> {
  await connection.query('DELETE FROM mails WHERE user_id = $1', [userId])
  await connection.query('DELETE FROM codes WHERE user_id = $1', [userId])
}
