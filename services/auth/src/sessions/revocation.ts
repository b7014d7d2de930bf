import { Problem } from '@latchkey/tokens/errors'
import { newTokenHash } from '../users/users.ts'
import type { Database, Queryable } from '../database.ts'
import {
  type Caller,
  endFor,
  GRANT,
  type Grant,
  idleEnd,
  NEW_SESSION,
  type Origin,
  type Revocation,
  sweepDay,
  USER_ENABLED
} from './sessions.ts'

/**
 * Ends every session of a user and all that was issued before: a new token hash, the next epoch, no live session.
 *
 * Part of a transaction. Returns the ids of the sessions that were alive.
 */
export async function revokeAll(connection: Queryable, userId: string, reason: Revocation): Promise<string[]> {
  await connection.query('UPDATE users SET token_hash = $2, epoch = epoch + 1 WHERE id = $1', [userId, newTokenHash()])
  const ended = await connection.query<{ id: string; lived: boolean }>(
    `UPDATE sessions s SET ${endFor('$2')}
      WHERE s.user_id = $1 AND s.ended_at IS NULL
      RETURNING s.id, now() < s.idle_ends_at AND now() < s.ends_at AS lived`,
    [userId, reason]
  )
  return ended.filter(({ lived }) => lived).map(({ id }) => id)
}

/**
 * Revokes all for the user who asks for it, while his token hash and session are those that he was let in with.
 *
 * Part of a transaction. Throws `invalid_token` when the token hash was replaced or the session ended meanwhile.
 */
export async function revokeAsCaller(connection: Queryable, caller: Caller, reason: Revocation): Promise<void> {
  const [unchanged] = await connection.query(
    `SELECT u.id FROM users u WHERE u.id = $1 AND u.token_hash = $2 AND ${USER_ENABLED} FOR NO KEY UPDATE`,
    [caller.id, caller.token_hash]
  )
  if (!unchanged) throw new Problem('invalid_token', { reason: 'all sessions were ended meanwhile' })
  const ended = await revokeAll(connection, caller.id, reason)
  if (!ended.includes(caller.sid)) throw new Problem('invalid_token', { reason: 'the session ended meanwhile' })
}

/**
 * Puts a new password in the place of the one that `caller` showed: one transaction with a new token hash, the next
 * epoch, the end of every session, and a new session for the caller that ends when the old one would have.
 *
 * Throws `invalid_token` and changes nothing when the password was changed or the caller's session ended meanwhile.
 */
export async function replacePassword(
  database: Database,
  caller: Caller,
  { passwordHash, idle, from }: { passwordHash: string; idle: number; from: Origin }
): Promise<Grant> {
  return database.transaction(async (connection) => {
    await revokeAsCaller(connection, caller, 'password_changed')
    const [changed] = await connection.query(
      'UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2 RETURNING id',
      [caller.id, caller.password_hash, passwordHash]
    )
    if (!changed) throw new Problem('invalid_token', { reason: 'the password was changed meanwhile' })
    const [grant] = await connection.query<Grant>(
      `WITH s AS (
         INSERT INTO sessions (${NEW_SESSION})
         SELECT gen_random_uuid(), old.user_id, now(), now(), idle_end, old.ends_at, ${sweepDay('idle_end')}, $3, $4
           FROM (SELECT s.*, ${idleEnd('$2', 's.ends_at')} AS idle_end FROM sessions s WHERE s.id = $1) AS old RETURNING *
       ) SELECT ${GRANT} FROM s JOIN users u ON u.id = s.user_id`,
      [caller.sid, idle, from.ip, from.userAgent]
    )
    return grant as Grant
  })
}

/** Ends every session of the caller and all that was issued before. Throws as {@link revokeAsCaller}. */
export async function logOutEverywhere(database: Database, caller: Caller): Promise<void> {
  await database.transaction((connection) => revokeAsCaller(connection, caller, 'logout_everywhere'))
}

/** Users whose sessions one transaction of {@link revokeEverybody} ends. */
const BATCH = 1000

/**
 * Ends every session of every user, as is due after the database was restored from a backup: it brings back what had
 * ended since. Epochs rise by 1000, above any that the lost commits may have reached.
 *
 * Works in batches, so that nobody waits long; cut off, it is run again. Returns the number of users.
 */
export async function revokeEverybody(database: Database): Promise<number> {
  let count = 0
  let ids: string[] = []
  do {
    const last = ids.at(-1) ?? null
    ids = await database.transaction((connection) => revokeBatch(connection, last))
    count += ids.length
  } while (ids.length === BATCH)
  return count
}

async function revokeBatch(connection: Queryable, after: string | null): Promise<string[]> {
  const users = await connection.query<{ id: string }>(
    `SELECT id FROM users WHERE deleted_at IS NULL AND ($1::uuid IS NULL OR id > $1)
      ORDER BY id LIMIT ${BATCH} FOR NO KEY UPDATE`,
    [after]
  )
  const ids = users.map(({ id }) => id)
  await connection.query(
    `UPDATE users u SET token_hash = fresh.token_hash, epoch = epoch + 1000
       FROM unnest($1::uuid[], $2::bytea[]) AS fresh (id, token_hash) WHERE u.id = fresh.id`,
    [ids, ids.map(newTokenHash)]
  )
  await connection.query(
    `UPDATE sessions s SET ${endFor("'ended_by_admin'")} WHERE s.user_id = ANY ($1::uuid[]) AND s.ended_at IS NULL`,
    [ids]
  )
  return ids
}

/** Leaves of a user, all of whose sessions are over, only id, epoch and the time. Part of a transaction. */
export async function eraseUser(connection: Queryable, userId: string): Promise<void> {
  await connection.query(
    `UPDATE users SET deleted_at = now(), created_at = now(), email = NULL, username = NULL, password_hash = NULL,
            token_hash = NULL, email_verified = false, roles = '{}' WHERE id = $1`,
    [userId]
  )
  await connection.query('UPDATE sessions SET ip = NULL, user_agent = NULL WHERE user_id = $1', [userId])
}
