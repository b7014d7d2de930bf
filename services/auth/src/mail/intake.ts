import { type Acting, transact } from '@latchkey/audit/acting'
import type { Source } from '@latchkey/audit/record'
import type { Queryable } from '@latchkey/database/pool'
import type { Statement } from '@latchkey/database/statement'
import { comparable, USER_ENABLED } from '../users/account.ts'
import { counts, within, withinLimit } from './limit.ts'
import { OPEN, sweepDay } from './outbox.ts'
import { PURPOSES } from './purposes.ts'

/** How many requests one statement takes at most. */
const BATCH = 500

/** Any number, the same in every instance: one instance at a time takes requests, so that limits are exact. */
const LOCK = 0x6d61_696c

const PATIENCE = `CASE purpose WHEN 'reset_password' THEN ${PURPOSES.reset_password.patience} ELSE ${PURPOSES.verify_email.patience} END`

// The users are locked, in the order of all changes of accounts: beside a deletion, a mail would be left otherwise.
const TAKE: Statement = `/* mail_requests_take */
  WITH taken AS MATERIALIZED (
    DELETE FROM mail_requests r USING (SELECT id FROM mail_requests ORDER BY id LIMIT ${BATCH} FOR UPDATE SKIP LOCKED) due
     WHERE r.id = due.id RETURNING r.purpose, ${comparable('r.email')} AS email, r.signup_id,
      json_strip_nulls(json_build_object('requestId', r.request_id, 'ip', r.ip, 'userAgent', r.user_agent)) AS source),
  locked AS MATERIALIZED (
    SELECT CASE t.purpose WHEN 'sign_up' THEN 'address_taken' ELSE t.purpose END AS purpose, u.id, t.source
      FROM taken t JOIN users u ON ${comparable('u.email')} = t.email
     WHERE ${USER_ENABLED} AND NOT (t.purpose = 'verify_email' AND u.email_verified)
     ORDER BY u.id FOR SHARE OF u),
  known AS MATERIALIZED (SELECT DISTINCT ON (purpose, id) purpose, id, source FROM locked ORDER BY purpose, id),
  for_users AS (
    INSERT INTO mails (id, purpose, user_id, asked_at, due_at, give_up_at, sweep_on)
    SELECT gen_random_uuid(), k.purpose, k.id, now(), now(), now() + make_interval(secs => ${PATIENCE}), ${sweepDay('now()', PATIENCE)}
      FROM known k, LATERAL ${counts('mails m', 'm.asked_at', 'm.user_id = k.id AND m.purpose = k.purpose')} s
     WHERE ${withinLimit('k.purpose', '$1')}
     ORDER BY k.id, k.purpose
    ON CONFLICT (user_id, purpose) WHERE ${OPEN} DO NOTHING RETURNING user_id, purpose),
  strangers AS MATERIALIZED (
    SELECT t.purpose, t.email, t.signup_id FROM taken t
     WHERE t.purpose IN ('sign_up', 'verify_email') AND NOT EXISTS (SELECT FROM users u WHERE ${comparable('u.email')} = t.email)),
  newcomers AS MATERIALIZED (
    SELECT email, signup_id FROM strangers WHERE purpose = 'sign_up'
     UNION
    SELECT s.email, newest.id FROM strangers s, LATERAL (
      SELECT g.id FROM signups g WHERE ${comparable('g.email')} = s.email ORDER BY g.asked_at DESC LIMIT 1) newest
     WHERE s.purpose = 'verify_email'
       AND NOT EXISTS (SELECT FROM mails m WHERE m.signup_id = newest.id AND m.done_at IS NULL)),
  for_signups AS (
    INSERT INTO mails (id, purpose, signup_id, asked_at, due_at, give_up_at, sweep_on)
    SELECT gen_random_uuid(), 'sign_up', n.signup_id, now(), now(), now() + make_interval(secs => $2), ${sweepDay('now()', '$2')}
      FROM (SELECT *, row_number() OVER (PARTITION BY email ORDER BY signup_id) AS nth FROM newcomers) n,
           LATERAL ${counts('mails m', 'm.asked_at', `m.signup_id IN (SELECT g.id FROM signups g WHERE ${comparable('g.email')} = n.email)`)} s
     WHERE ${within('n.nth')} RETURNING signup_id),
  dropped AS (
    DELETE FROM signups g USING taken t WHERE g.id = t.signup_id AND NOT EXISTS (SELECT FROM for_signups f WHERE f.signup_id = g.id))
  SELECT (SELECT count(*)::int FROM taken) AS taken,
    ARRAY(SELECT json_build_object('user', k.id, 'source', k.source) FROM known k JOIN for_users f ON f.user_id = k.id
           WHERE k.purpose = 'reset_password' AND f.purpose = 'reset_password') AS resets`

interface Taken {
  readonly taken: number
  /** The users to whom a reset is mailed, and who has asked for it. */
  readonly resets: readonly { readonly user: string; readonly source: Source }[]
}

/**
 * Makes mails of the requests of strangers: finds the accounts, and applies the limits. A request over a limit is
 * dropped silently, after it was answered. A request for an unknown address leaves nothing in the database.
 *
 * `resetLife` is the life of a reset code in seconds.
 */
export async function takeRequests(acting: Acting, resetLife: number): Promise<void> {
  let taken = BATCH
  while (taken === BATCH) {
    taken = await transact(acting, async (connection, note) => {
      await connection.query('/* mail_requests_lock */ SELECT pg_advisory_xact_lock($1)', [LOCK])
      const [row] = await connection.query<Taken>(TAKE, [resetLife, PURPOSES.sign_up.patience])
      for (const { user, source } of row?.resets ?? []) note('password_reset_asked', { user }, { source })
      return row?.taken ?? 0
    })
  }
}

/**
 * Asks for a mail to the owner of the address of a mail: somebody wanted that address for an account. Who asked is
 * answered as for a free address.
 */
export async function tellOwner(database: Queryable, { email }: { email: string | null }): Promise<void> {
  await database.query(
    "/* mail_request_address_taken */ INSERT INTO mail_requests (purpose, email, asked_at) VALUES ('address_taken', $1, now())",
    [email]
  )
}
