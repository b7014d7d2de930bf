import { ACCOUNT, type Account } from '../users/users.ts'
import type { Queryable } from '../database.ts'

/** All that a pair of tokens says, from the one row that decided to give it. Times are seconds since 1970, by the database's clock. */
export interface Grant {
  readonly user_id: string
  readonly username: string
  readonly roles: string[]
  readonly epoch: number
  readonly token_hash: Buffer
  readonly sid: string
  readonly generation: number
  /** When the generation began. */
  readonly iat: number
  /** When the session ends if it is not used. */
  readonly idle_end: number
  /** When it ends however much it is used. */
  readonly end: number
  /** When the row was read. */
  readonly now: number
}

/** Who calls with an access token: the account as it is now, and the session it goes by. */
export interface Caller extends Account {
  readonly sid: string
}

/** Where a request comes from; kept with its session, so that the user knows the device in a list. */
export interface Origin {
  readonly ip: string
  readonly userAgent: string | null
}

/** How long sessions live, in seconds: unused, and at the most. */
export interface SessionLife {
  readonly idle: number
  readonly most: number
}

/** Why a session ended before its time. */
export type EndReason = 'logout' | 'revoked' | 'reuse' | 'evicted' | Revocation

/** Why all sessions of a user ended at once. */
export type Revocation = 'password_changed' | 'logout_everywhere' | 'disabled' | 'deleted' | 'ended_by_admin'

/** Live sessions that a user may have; one more ends the least recently used. */
const MAX_SESSIONS = 100

/** A time as claims have it: floored, because extract() rounds, and an iat must never lie in the future. */
export const seconds = (time: string) => `floor(extract(epoch FROM ${time}))::bigint`

/** The columns of a {@link Grant}, of the tables `s` and `u`. */
export const GRANT = `u.id AS user_id, u.username, u.roles, u.epoch, u.token_hash, s.id AS sid, s.generation,
  ${seconds('coalesce(s.superseded_at[1], s.created_at)')} AS iat, ${seconds('s.idle_ends_at')} AS idle_end,
  ${seconds('s.ends_at')} AS "end", ${seconds('now()')} AS now`

/** Of the tables `s` and `u`: neither has come to an end. */
export const SESSION_LIVES = 's.ended_at IS NULL AND now() < s.idle_ends_at AND now() < s.ends_at'
export const USER_ENABLED = 'u.disabled_at IS NULL AND u.deleted_at IS NULL'

/** The end of a session that is used now and then not for so many seconds, which are the parameter `life`. */
export const idleEnd = (life: string, end: string) => `least(now() + make_interval(secs => ${life}::float8), ${end})`

/** The earliest day on which a session that ends then may be swept. */
export const sweepDay = (end: string) => `(${end})::date + 2`

/** What an UPDATE of sessions sets to end them for the reason that is the parameter. */
export const endFor = (reason: string) => `ended_at = now(), end_reason = ${reason}, sweep_on = ${sweepDay('now()')}`

/** The columns that a new session is made of; the rest have defaults. */
export const NEW_SESSION = 'id, user_id, created_at, last_used_at, idle_ends_at, ends_at, sweep_on, ip, user_agent'

/** What a session is opened with. */
export interface Opening {
  readonly userId: string
  /** As it was read together with the compared password hash. */
  readonly tokenHash: Buffer
  readonly life: SessionLife
  readonly from: Origin
}

/**
 * Opens a session for a user whose password was just compared.
 *
 * Returns nothing when the token hash is no longer `tokenHash`: the password was changed while it was compared. FOR SHARE
 * keeps a change from passing between the look and the insert.
 */
export async function openSession(
  database: Queryable,
  { userId, tokenHash, life, from }: Opening
): Promise<Grant | undefined> {
  const [grant] = await database.query<Grant>(
    `WITH u AS (
       SELECT u.* FROM users u WHERE u.id = $1 AND u.token_hash = $2 AND ${USER_ENABLED} FOR SHARE
     ), s AS (
       INSERT INTO sessions (${NEW_SESSION})
       SELECT gen_random_uuid(), u.id, now(), now(), idle_end, ends, ${sweepDay('idle_end')}, $5, $6
         FROM u, (SELECT now() + make_interval(secs => $4::float8) AS ends) AS most,
              LATERAL (SELECT ${idleEnd('$3', 'ends')} AS idle_end) AS unused RETURNING *
     ) SELECT ${GRANT} FROM s, u`,
    [userId, tokenHash, life.idle, life.most, from.ip, from.userAgent]
  )
  if (grant) await evict(database, userId)
  return grant
}

// After the session is there: of logins at once the last one sees them all.
async function evict(database: Queryable, userId: string): Promise<void> {
  await database.query(
    `UPDATE sessions s SET ${endFor("'evicted'")} WHERE s.ended_at IS NULL AND s.id IN (
       SELECT s.id FROM sessions s WHERE s.user_id = $1 AND ${SESSION_LIVES} ORDER BY s.last_used_at DESC, s.id OFFSET $2)`,
    [userId, MAX_SESSIONS]
  )
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

/** One session as its user sees it in a list. */
export interface Device {
  readonly id: string
  readonly created_at: Date
  readonly last_used_at: Date
  readonly user_agent: string | null
  readonly ip: string | null
}

/** The live sessions of a user, the last used first. */
export async function findDevices(database: Queryable, userId: string): Promise<Device[]> {
  return database.query<Device>(
    `SELECT s.id, s.created_at, s.last_used_at, s.user_agent, s.ip FROM sessions s
      WHERE s.user_id = $1 AND ${SESSION_LIVES} ORDER BY s.last_used_at DESC, s.id`,
    [userId]
  )
}

/** Ends one session of a user; says whether there was a live one. */
export async function markEnded(
  database: Queryable,
  { sid, userId, reason }: { sid: string; userId: string; reason: EndReason }
): Promise<boolean> {
  const ended = await database.query(
    `UPDATE sessions s SET ${endFor('$3')} WHERE s.id = $1 AND s.user_id = $2 AND ${SESSION_LIVES} RETURNING s.id`,
    [sid, userId, reason]
  )
  return ended.length > 0
}

/** The token hash of a user, which tells whether a refresh token is from before a password change; nothing for a deleted one. */
export async function findTokenHash(database: Queryable, userId: string): Promise<Buffer | undefined> {
  const [user] = await database.query<{ token_hash: Buffer | null }>('SELECT token_hash FROM users WHERE id = $1', [
    userId
  ])
  return user?.token_hash ?? undefined
}
