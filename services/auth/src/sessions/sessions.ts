import { Problem } from '@latchkey/tokens/errors'
import { ACCOUNT, type Account, newTokenHash } from '../accounts/users.ts'
import type { Database, Queryable } from '../database.ts'

/** All that a pair of tokens says, from the one row that decided to give it. Times are seconds since 1970, by the database's clock. */
export interface Grant {
  readonly user_id: string
  readonly username: string
  readonly roles: string[]
  readonly epoch: number
  readonly token_hash: Buffer
  readonly sid: string
  readonly generation: number
  readonly iat: number
  readonly exp: number
  /** Seconds from now to `exp`. */
  readonly refresh_expires_in: number
}

/** Who calls with an access token: the account as it is now, and the session it goes by. */
export interface Caller extends Account {
  readonly sid: string
}

/** How long sessions live, in seconds: unused, and at the most. */
export interface SessionLife {
  readonly idle: number
  readonly most: number
}

/** Live sessions that a user may have; one more ends the least recently used. */
const MAX_SESSIONS = 100

// The claims of a refresh token are floored: extract() rounds, and an iat must never lie in the future.
const GRANT = `u.id AS user_id, u.username, u.roles, u.epoch, u.token_hash, s.id AS sid, s.generation,
  floor(extract(epoch FROM coalesce(s.superseded_at[1], s.created_at)))::bigint AS iat,
  floor(extract(epoch FROM s.idle_ends_at))::bigint AS exp,
  floor(extract(epoch FROM s.idle_ends_at - now()))::bigint AS refresh_expires_in`

const SESSION_LIVES = 's.ended_at IS NULL AND now() < s.idle_ends_at AND now() < s.ends_at'
const USER_ENABLED = 'u.disabled_at IS NULL AND u.deleted_at IS NULL'

/**
 * Opens a session for a user whose password was just compared.
 *
 * Returns nothing when the token hash is no longer `tokenHash`, the one read together with the compared password hash:
 * the password was changed while it was compared. FOR SHARE keeps a change from passing between the look and the insert.
 */
export async function openSession(
  database: Queryable,
  { userId, tokenHash, life }: { userId: string; tokenHash: Buffer; life: SessionLife }
): Promise<Grant | undefined> {
  const [grant] = await database.query<Grant>(
    `WITH u AS (
       SELECT u.* FROM users u WHERE u.id = $1 AND u.token_hash = $2 AND ${USER_ENABLED} FOR SHARE
     ), evicted AS (
       UPDATE sessions SET ended_at = now(), end_reason = 'evicted' WHERE id IN (
         SELECT s.id FROM sessions s JOIN u ON s.user_id = u.id WHERE ${SESSION_LIVES}
         ORDER BY s.last_used_at DESC OFFSET $5)
     ), s AS (
       INSERT INTO sessions (id, user_id, created_at, last_used_at, idle_ends_at, ends_at)
       SELECT gen_random_uuid(), u.id, now(), now(),
              now() + make_interval(secs => least($3::float8, $4::float8)), now() + make_interval(secs => $4::float8)
         FROM u RETURNING *
     ) SELECT ${GRANT} FROM s, u`,
    [userId, tokenHash, life.idle, life.most, MAX_SESSIONS - 1]
  )
  return grant
}

/** Finds what a refresh token of a live session of an enabled user stands for. */
export async function findGrant(database: Queryable, sid: string, userId: string): Promise<Grant | undefined> {
  const [grant] = await database.query<Grant>(
    `SELECT ${GRANT} FROM sessions s JOIN users u ON u.id = s.user_id
      WHERE s.id = $1 AND u.id = $2 AND ${SESSION_LIVES} AND ${USER_ENABLED}`,
    [sid, userId]
  )
  return grant
}

/** Finds who calls with an access token: nobody when its session ended, its epoch is behind or its user is not enabled. */
export async function findCaller(
  database: Queryable,
  { sid, sub, epoch }: { sid: string; sub: string; epoch: number }
): Promise<Caller | undefined> {
  const [caller] = await database.query<Caller>(
    `SELECT ${ACCOUNT}, s.id AS sid FROM sessions s JOIN users u ON u.id = s.user_id
      WHERE s.id = $1 AND u.id = $2 AND u.epoch = $3 AND ${SESSION_LIVES} AND ${USER_ENABLED}`,
    [sid, sub, epoch]
  )
  return caller
}

/**
 * Puts a new password in the place of the one that `caller` showed: one transaction with a new token hash, the next
 * epoch, the end of every session, and a new session for the caller that ends when the old one would have.
 *
 * Throws `invalid_token` and changes nothing when the password was changed or the caller's session ended meanwhile.
 */
export async function changePassword(
  database: Database,
  caller: Caller,
  { passwordHash, idle }: { passwordHash: string; idle: number }
): Promise<Grant> {
  return database.transaction(async (connection) => {
    const [changed] = await connection.query(
      `UPDATE users u SET password_hash = $4, token_hash = $5, epoch = epoch + 1
        WHERE u.id = $1 AND u.token_hash = $2 AND u.password_hash = $3 AND ${USER_ENABLED} RETURNING u.id`,
      [caller.id, caller.token_hash, caller.password_hash, passwordHash, newTokenHash()]
    )
    if (!changed) throw new Problem('invalid_token', { reason: 'the password was changed meanwhile' })
    const ended = await connection.query<{ id: string; lived: boolean }>(
      `UPDATE sessions s SET ended_at = now(), end_reason = 'password_changed'
        WHERE s.user_id = $1 AND s.ended_at IS NULL RETURNING s.id, now() < s.idle_ends_at AND now() < s.ends_at AS lived`,
      [caller.id]
    )
    if (!ended.some(({ id, lived }) => id === caller.sid && lived)) {
      throw new Problem('invalid_token', { reason: 'the session ended meanwhile' })
    }
    const [grant] = await connection.query<Grant>(
      `WITH s AS (
         INSERT INTO sessions (id, user_id, created_at, last_used_at, idle_ends_at, ends_at)
         SELECT gen_random_uuid(), old.user_id, now(), now(), least(now() + make_interval(secs => $2::float8), old.ends_at), old.ends_at
           FROM sessions old WHERE old.id = $1 RETURNING *
       ) SELECT ${GRANT} FROM s JOIN users u ON u.id = s.user_id`,
      [caller.sid, idle]
    )
    if (!grant) throw new Problem('invalid_token', { reason: 'the session is gone' })
    return grant
  })
}
