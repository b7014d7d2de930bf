import { type Acting, transact } from '@latchkey/audit/acting'
import type { Queryable } from '@latchkey/database/pool'
import type { Client } from '@latchkey/frame/client'
import { Problem } from '@latchkey/problems/problem'
import { forgetCodes, type ShownCode, useCode } from '../mail/codes.ts'
import { dropMails, type Outbox } from '../mail/outbox.ts'
import { forgetBucket, strangersOf } from '../passwords/attempts.ts'
import { tellEverybody } from '../revocations/everybody.ts'
import type { Account } from '../users/account.ts'
import { replaceHash, resetHash } from '../users/change.ts'
import { lockWithTokenHash, replaceTokenHash, replaceTokenHashes } from '../users/token-hash.ts'
import {
  type Caller,
  GRANT_COLUMNS,
  type Grant,
  idleEnd,
  NEW_SESSION_COLUMNS,
  type Revocation,
  setEnded,
  sweepDay
} from './rows.ts'

/**
 * Ends every session of a user and invalidates all earlier tokens and codes: a new token hash, the next epoch, no live
 * session, no mailed code.
 *
 * Part of a transaction. Returns the ids of the sessions that were alive.
 */
export async function revokeAll(connection: Queryable, userId: string, reason: Revocation): Promise<string[]> {
  await replaceTokenHash(connection, userId)
  await forgetCodes(connection, [userId])
  await dropMails(connection, userId, ['change_email', 'reset_password'])
  const ended = await connection.query<{ id: string; lived: boolean }>(
    `/* sessions_end_of_user */ UPDATE sessions s SET ${setEnded('$2')}
      WHERE s.user_id = $1 AND s.ended_at IS NULL
      RETURNING s.id, now() < s.idle_ends_at AND now() < s.ends_at AS lived`,
    [userId, reason]
  )
  return ended.filter(({ lived }) => lived).map(({ id }) => id)
}

/**
 * Locks the caller, while their token hash is still the one that the guard has read. Part of a transaction. Throws
 * `invalid_token` if it was replaced.
 */
export async function lockCaller(connection: Queryable, caller: Caller): Promise<void> {
  if (await lockWithTokenHash(connection, caller.id, caller.token_hash)) return
  throw new Problem('invalid_token', { reason: 'all sessions were ended meanwhile' })
}

/**
 * Revokes all for the caller, while their token hash and session are still those that the guard has read.
 *
 * Part of a transaction. Throws `invalid_token` if the token hash was replaced or the session ended meanwhile.
 */
export async function revokeAsCaller(connection: Queryable, caller: Caller, reason: Revocation): Promise<void> {
  await lockCaller(connection, caller)
  const ended = await revokeAll(connection, caller.id, reason)
  if (!ended.includes(caller.sid)) throw new Problem('invalid_token', { reason: 'the session ended meanwhile' })
}

/**
 * Replaces the password of `caller` in one transaction: a new token hash, the next epoch, the end of every session, and
 * a new session for the caller with the absolute end of the old one.
 *
 * Throws `invalid_token` and changes nothing if the password was changed or the caller's session ended meanwhile.
 */
export async function replacePassword(
  acting: Acting,
  caller: Caller,
  { passwordHash, idle, from, outbox }: { passwordHash: string; idle: number; from: Client; outbox: Outbox }
): Promise<Grant> {
  return transact(acting, async (connection, note) => {
    await revokeAsCaller(connection, caller, 'password_changed')
    const hashes = { compared: caller.password_hash, replacement: passwordHash }
    const isChanged = await replaceHash(connection, caller.id, hashes)
    if (!isChanged) throw new Problem('invalid_token', { reason: 'the password was changed meanwhile' })
    await outbox.add(connection, { purpose: 'password_changed', userId: caller.id, email: caller.email })
    const [grant] = await connection.query<Grant>(
      `/* session_open_again */ WITH s AS (
         INSERT INTO sessions (${NEW_SESSION_COLUMNS})
         SELECT gen_random_uuid(), old.user_id, now(), now(), idle_end, old.ends_at, ${sweepDay('idle_end')}, $3, $4
           FROM (SELECT s.*, ${idleEnd('$2', 's.ends_at')} AS idle_end FROM sessions s WHERE s.id = $1) AS old RETURNING *
       ) SELECT ${GRANT_COLUMNS} FROM s JOIN users u ON u.id = s.user_id`,
      [caller.sid, idle, from.ip, from.userAgent]
    )
    const opened = grant as Grant
    note('password_changed', { user: caller.id, session: caller.sid, opened: opened.sid })
    return opened
  })
}

/**
 * Sets the password of an account with a mailed code: ends every session, invalidates all earlier tokens and codes, and
 * tells the owner. Guesses of strangers at the old password are forgotten.
 *
 * Throws `invalid_code` and changes nothing if the code is not valid any more, or not for the present address.
 */
export async function resetPasswordOf(
  acting: Acting,
  { id, email, password_hash: former }: Account,
  { shown, passwordHash, outbox }: { shown: ShownCode; passwordHash: string; outbox: Outbox }
): Promise<void> {
  await transact(acting, async (connection, note) => {
    if (!(await useCode(connection, { shown, userId: id, present: true }))) {
      throw new Problem('invalid_code', { reason: 'the code was used or replaced meanwhile' })
    }
    await revokeAll(connection, id, 'password_reset')
    await resetHash(connection, id, passwordHash)
    await forgetBucket(connection, strangersOf(email))
    // The first password, which an invitation set, is no change.
    if (former !== null) await outbox.add(connection, { purpose: 'password_changed', userId: id, email })
    note('password_reset', { user: id })
  })
}

/** Ends every session of the caller and invalidates all earlier tokens. Throws as {@link revokeAsCaller}. */
export async function logOutEverywhere(acting: Acting, caller: Caller): Promise<void> {
  await transact(acting, async (connection, note) => {
    await revokeAsCaller(connection, caller, 'logout_everywhere')
    note('logout_everywhere', { user: caller.id, session: caller.sid })
  })
}

/** Users per transaction of {@link revokeEverybody}. */
const BATCH = 1000

/**
 * Ends every session of every user, which is needed after a restore: a backup brings ended sessions and used codes back. Epochs rise
 * above all that the lost commits may have reached. Access tokens end too: of those that are told so by the revocation
 * feed, also all that are asked for within `ahead` seconds from now: so far may the clocks of instances be ahead of the database's.
 * A token says when it was asked for, so it makes no difference how long its answer takes.
 *
 * Works in batches, so that nobody waits long; if it is interrupted, run it again. Returns the number of users.
 */
export async function revokeEverybody(
  acting: Acting,
  { command, ahead }: { command: string; ahead: number }
): Promise<number> {
  const tell = () => tellEverybody(acting.database, ahead)
  // At once, and again afterwards for the tokens that were given meanwhile.
  await tell()
  const count = await revokeInBatches(acting, command)
  await tell()
  return count
}

async function revokeInBatches(acting: Acting, command: string): Promise<number> {
  let count = 0
  let ids: string[] = []
  do {
    const after = ids.at(-1)
    ids = await transact(acting, async (connection, note) => {
      const revoked = await revokeBatch(connection, after)
      if (revoked.length > 0) note('admin_command', { command, accounts: revoked.length })
      return revoked
    })
    count += ids.length
  } while (ids.length === BATCH)
  return count
}

async function revokeBatch(connection: Queryable, after: string | undefined): Promise<string[]> {
  const ids = await replaceTokenHashes(connection, { after, limit: BATCH })
  await connection.query(
    `/* sessions_end_of_users */ UPDATE sessions s SET ${setEnded("'ended_by_admin'")} WHERE s.user_id = ANY ($1::uuid[]) AND s.ended_at IS NULL`,
    [ids]
  )
  await forgetCodes(connection, ids)
  return ids
}
