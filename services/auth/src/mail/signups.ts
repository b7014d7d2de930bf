import type { Queryable } from '@latchkey/database/pool'
import { comparable } from '../users/account.ts'
import { hashOfCode, type ShownCode } from './codes.ts'

/** Somebody who signed up and has to enter the code of a mail before there is an account. */
export interface Signup {
  readonly email: string
  readonly username: string
  readonly passwordHash: string
}

/** Days after which a sign-up may be deleted; {@link OVER} says when it is. */
const KEPT = 2

/**
 * Stores a sign-up and asks for its mail, in one statement that is the same for free and taken addresses. So neither
 * the answer nor its time tells who has an account.
 */
export async function addSignup(database: Queryable, { email, username, passwordHash }: Signup): Promise<void> {
  await database.query(
    `/* signup_add */ WITH g AS (
       INSERT INTO signups (id, email, username, password_hash, asked_at, sweep_on)
       VALUES (gen_random_uuid(), $1, $2, $3, now(), now()::date + ${KEPT}) RETURNING id, email)
     INSERT INTO mail_requests (purpose, email, signup_id, asked_at) SELECT 'sign_up', email, id, now() FROM g`,
    [email, username, passwordHash]
  )
}

/**
 * Uses the code of a sign-up: deletes the code and every sign-up of the address.
 *
 * Part of a transaction. Returns the sign-up of the code, or nothing if the code is not valid. All sign-ups of the
 * address are locked first, in one order, so requests with several codes cannot cause a deadlock.
 */
export async function useSignupCode(connection: Queryable, { code, email }: ShownCode): Promise<Signup | undefined> {
  const sameAddress = `${comparable('email')} = ${comparable('$1')}`
  await connection.query(`/* signup_lock */ SELECT id FROM signups WHERE ${sameAddress} ORDER BY id FOR UPDATE`, [
    email
  ])
  const [signup] = await connection.query<Signup>(
    `/* signup_use */ WITH used AS (
       DELETE FROM codes WHERE code_hash = $2 AND purpose = 'sign_up' AND expires_at > now() AND ${sameAddress}
       RETURNING signup_id)
     SELECT g.email, g.username, g.password_hash AS "passwordHash" FROM signups g JOIN used ON used.signup_id = g.id`,
    [email, hashOfCode(code)]
  )
  if (signup) await connection.query(`/* signup_forget */ DELETE FROM signups WHERE ${sameAddress}`, [email])
  return signup
}

/** The condition of a sign-up whose code was not entered in time; the table is called `g`. */
export const OVER = `g.asked_at < now() - interval '24 hours'
  AND NOT EXISTS (SELECT FROM mails m WHERE m.signup_id = g.id AND m.done_at IS NULL)
  AND NOT EXISTS (SELECT FROM codes c WHERE c.signup_id = g.id AND c.expires_at > now())`
