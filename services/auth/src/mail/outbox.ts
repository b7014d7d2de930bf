import type { Acting } from '@latchkey/audit/acting'
import type { Queryable } from '@latchkey/database/pool'
import { Problem } from '@latchkey/problems/problem'
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
  /** Adds a mail, in the transaction of its change. An unsent mail of the same purpose ends, unless it is a warning. */
  add(connection: Queryable, mail: Mail): Promise<void>
  /** Notes that a stranger has asked for a mail. Does the same for every address, known or unknown. */
  ask(acting: Acting, purpose: AskedPurpose, email: string): Promise<void>
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

async function add(connection: Queryable, { purpose, userId, email }: Mail): Promise<void> {
  const { isWarning = false, patience }: { isWarning?: boolean; patience: number } = PURPOSES[purpose]
  if (!isWarning) await dropMails(connection, userId, [purpose])
  await connection.query(
    `/* mail_add */ INSERT INTO mails (id, purpose, user_id, email, limited, asked_at, due_at, give_up_at, sweep_on)
     SELECT gen_random_uuid(), $1, u.id, $3, NOT ($5 AND u.email_verified), now(), now(),
            now() + make_interval(secs => $4::float8), ${sweepDay('now()', '$4')}
       FROM users u WHERE u.id = $2`,
    [purpose, userId, email ?? null, patience, isWarning]
  )
}

/** Ends the open mails of these purposes: no code of theirs is made any more. Part of a transaction. */
export async function dropMails(connection: Queryable, userId: string, purposes: readonly Purpose[]): Promise<void> {
  await connection.query(
    `/* mails_drop */ UPDATE mails SET done_at = now(), outcome = 'dropped'
      WHERE user_id = $1 AND purpose = ANY ($2) AND done_at IS NULL`,
    [userId, purposes]
  )
}

async function ask(acting: Acting, purpose: AskedPurpose, email: string): Promise<void> {
  const { database, requestId, ip, userAgent } = acting
  await database.query(
    `/* mail_request_add */ INSERT INTO mail_requests (purpose, email, asked_at, request_id, ip, user_agent) VALUES ($1, $2, now(), $3, $4, $5)`,
    [purpose, email, requestId ?? null, ip ?? null, userAgent ?? null]
  )
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
 * Refuses another mail of this purpose to a user who had three in an hour or ten in a day. Throws `too_many_requests`.
 */
export async function refuseTooManyMails(connection: Queryable, userId: string, purpose: Purpose): Promise<void> {
  const [row] = await connection.query<{ wait: number }>(
    `/* mail_wait */ SELECT greatest(0, extract(epoch FROM max(asked_at) FILTER (WHERE nth = $3) + interval '1 hour' - now()),
                        extract(epoch FROM max(asked_at) FILTER (WHERE nth = $4) + interval '1 day' - now()))::float8 AS wait
       FROM (SELECT asked_at, row_number() OVER (ORDER BY asked_at DESC) AS nth
               FROM mails WHERE user_id = $1 AND purpose = $2) AS newest`,
    [userId, purpose, MOST_MAILS.hour, MOST_MAILS.day]
  )
  if (row && row.wait > 0) {
    throw new Problem('too_many_requests', { reason: `too many mails: ${purpose}`, retryAfter: row.wait })
  }
}

/** Deletes the mails of a user whose account is deleted; the end of their sessions has deleted the codes. Part of a transaction. */
export async function forgetMails(connection: Queryable, userId: string): Promise<void> {
  await connection.query('/* mails_forget */ DELETE FROM mails WHERE user_id = $1', [userId])
}
