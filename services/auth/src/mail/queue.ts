import type { Queryable } from '@latchkey/database/pool'
import { comparable, USER_ENABLED } from '../users/account.ts'
import { hashOfCode, newCode } from './codes.ts'
import { KEPT } from './outbox.ts'
import type { Purpose } from './purposes.ts'

/** How long an attempt may take, in seconds, before another instance may make the next one. Longer than any send. */
export const LEASE = 120

/** A mail that this instance sends now. */
export interface ClaimedMail {
  readonly id: string
  readonly purpose: Purpose
  readonly user_id: string | null
  readonly signup_id: string | null
  readonly email: string | null
  /** How often it was taken, this time included. Only the last attempt may write the outcome. */
  readonly attempts: number
  /** How often the mail server has refused it for now. */
  readonly refusals: number
  /** Whether the limit of its address counts. */
  readonly limited: boolean
  /** Whether its time is over. */
  readonly late: boolean
  /** Seconds since it was asked for. */
  readonly age: number
}

/**
 * Takes the next mail that is due, for {@link LEASE} seconds. Returns nothing if no mail is due. Resets come first:
 * somebody waits for them, and strangers could put any number of other mails before them.
 *
 * The lease is a time in the row. So it needs no connection while the mail is sent. If the instance dies, the mail is
 * due again when the lease ends. One mail at a time: in a batch, a lease could end before its mail is sent.
 */
export async function claimMail(database: Queryable): Promise<ClaimedMail | undefined> {
  const [mail] = await database.query<ClaimedMail>(
    `/* mail_claim */ WITH due AS MATERIALIZED (
       SELECT id FROM mails WHERE done_at IS NULL AND due_at <= now() ORDER BY purpose <> 'reset_password', due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
     UPDATE mails m SET attempts = m.attempts + 1, due_at = now() + make_interval(secs => $1)
       FROM due WHERE m.id = due.id
     RETURNING m.id, m.purpose, m.user_id, m.signup_id, m.email, m.attempts, m.refusals, m.limited, now() >= m.give_up_at AS late,
               extract(epoch FROM now() - m.asked_at)::float8 AS age`,
    [LEASE]
  )
  return mail
}

/** Where a mail goes, and its new code if it has one. */
export interface Addressed {
  readonly to: string
  readonly code?: string
}

// The conditions under which a mail is still wanted, besides an enabled user.
const STILL_WANTED: Partial<Record<Purpose, string>> = {
  verify_email: 'AND NOT u.email_verified',
  invitation: 'AND u.password_hash IS NULL',
  change_email: `AND NOT EXISTS (SELECT FROM users o WHERE o.id <> u.id AND ${comparable('o.email')} = ${comparable('m.email')})`
}

/**
 * Makes the code of a mail, which works for `life` seconds, and returns where the mail goes. Returns nothing if it is not
 * wanted any more.
 *
 * The code is committed before the mail goes out. It replaces the codes of older mails. Those of earlier attempts of
 * the same mail stay, because such an attempt may have arrived after all. FOR SHARE, because a password
 * change deletes all codes, and no code may be made at the same time.
 */
export async function addressMail(
  database: Queryable,
  mail: ClaimedMail,
  life: number
): Promise<Required<Addressed> | undefined> {
  const code = newCode()
  const of = mail.user_id === null ? SIGN_UP : USER(mail.purpose)
  const [row] = await database.query<{ to: string }>(
    `/* mail_code_renew */ WITH o AS MATERIALIZED (${of}),
     older AS (
       DELETE FROM codes c USING o
        WHERE (c.user_id = o.user_id OR c.signup_id = o.signup_id) AND c.purpose = $3
          AND (c.mail_id <> $1 OR c.expires_at < now())),
     made AS (
       INSERT INTO codes (code_hash, mail_id, purpose, user_id, signup_id, email, expires_at, sweep_on)
       SELECT $4, $1, $3, o.user_id, o.signup_id, o.email, expires_at, expires_at::date + 1
         FROM o, (SELECT now() + make_interval(secs => $5) AS expires_at) AS ends)
     SELECT o.email AS "to" FROM o`,
    [mail.id, mail.attempts, mail.purpose, hashOfCode(code), life]
  )
  return row && { to: row.to, code }
}

const CLAIMED = 'm.id = $1 AND m.attempts = $2 AND m.done_at IS NULL'

const USER = (purpose: Purpose) =>
  `SELECT u.id AS user_id, NULL::uuid AS signup_id, coalesce(m.email, u.email) AS email
     FROM users u JOIN mails m ON m.user_id = u.id
    WHERE ${CLAIMED} AND ${USER_ENABLED} ${STILL_WANTED[purpose] ?? ''} FOR SHARE OF u, m`

const SIGN_UP = `SELECT NULL::uuid AS user_id, g.id AS signup_id, g.email
     FROM signups g JOIN mails m ON m.signup_id = g.id WHERE ${CLAIMED} FOR SHARE OF g, m`

/** Finds where a mail goes; nothing if its account or sign-up is gone. */
export async function findAddress(database: Queryable, { id, attempts }: ClaimedMail): Promise<string | undefined> {
  const [row] = await database.query<{ to: string | null }>(
    `/* mail_address */ SELECT coalesce(m.email, u.email, g.email) AS "to"
       FROM mails m LEFT JOIN users u ON u.id = m.user_id LEFT JOIN signups g ON g.id = m.signup_id
      WHERE ${CLAIMED} AND u.deleted_at IS NULL`,
    [id, attempts]
  )
  return row?.to ?? undefined
}

/** The end of a mail: it was accepted, refused for good, too late, or not wanted any more. */
export type Outcome = 'sent' | 'refused' | 'late' | 'dropped'

/** Writes the end of a mail, unless another attempt has begun. Returns whether it was written. */
export async function finishMail(
  database: Queryable,
  { id, attempts }: ClaimedMail,
  { outcome, error }: { outcome: Outcome; error?: string | undefined }
): Promise<boolean> {
  const finished = await database.query(
    `/* mail_finish */ UPDATE mails m SET done_at = now(), outcome = $3, last_error = $4, sweep_on = now()::date + ${KEPT + 1}
      WHERE ${CLAIMED} RETURNING id`,
    [id, attempts, outcome, error ?? null]
  )
  return finished.length > 0
}

/**
 * Makes a mail due again in so many seconds, unless another attempt has begun. `refused` tells that the mail server
 * refused the mail itself, for now.
 */
export async function postponeMail(
  database: Queryable,
  { id, attempts }: ClaimedMail,
  { wait, error, refused }: { wait: number; error: string; refused: boolean }
): Promise<void> {
  await database.query(
    `/* mail_postpone */ UPDATE mails m SET due_at = now() + make_interval(secs => $3), last_error = $4, refusals = m.refusals + $5::int
      WHERE ${CLAIMED}`,
    [id, attempts, wait, error, Number(refused)]
  )
}
