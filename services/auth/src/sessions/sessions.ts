import { type Acting, transact } from '@latchkey/audit/acting'
import type { Queryable } from '@latchkey/database/pool'
import type { Client } from '@latchkey/frame/client'
import { tellSessions } from '../revocations/rows.ts'
import { ACCOUNT_COLUMNS, USER_ENABLED } from '../users/account.ts'
import {
  type Caller,
  type EndReason,
  GRANT_COLUMNS,
  type Grant,
  idleEnd,
  NEW_SESSION_COLUMNS,
  SESSION_LIVES,
  type SessionLife,
  setEnded,
  sweepDay
} from './rows.ts'

/** Most live sessions of a user; one more ends the least recently used. */
const MAX_SESSIONS = 100

/** The data for a new session. */
interface Opening {
  readonly userId: string
  /** As it was read with the compared password hash. */
  readonly tokenHash: Buffer
  readonly life: SessionLife
  readonly from: Client
}

/**
 * Opens a session for a user whose password was just compared.
 *
 * Returns nothing if the token hash is no longer `tokenHash`, because the password was changed meanwhile. FOR SHARE
 * prevents a change between the check and the insert.
 */
export async function openSession(acting: Acting, opening: Opening): Promise<Grant | undefined> {
  const grant = await transact(acting, async (connection, note) => {
    const opened = await insertSession(connection, opening)
    if (opened) note('login', { user: opened.user_id, session: opened.sid })
    return opened
  })
  if (grant) await evict(acting, grant)
  return grant
}

async function insertSession(
  connection: Queryable,
  { userId, tokenHash, life, from }: Opening
): Promise<Grant | undefined> {
  const [grant] = await connection.query<Grant>(
    `/* session_open */ WITH u AS (
       SELECT u.* FROM users u WHERE u.id = $1 AND u.token_hash = $2 AND ${USER_ENABLED} FOR SHARE
     ), s AS (
       INSERT INTO sessions (${NEW_SESSION_COLUMNS})
       SELECT gen_random_uuid(), u.id, now(), now(), idle_end, ends, ${sweepDay('idle_end')}, $5, $6
         FROM u, (SELECT now() + make_interval(secs => $4::float8) AS ends) AS absolute,
              LATERAL (SELECT ${idleEnd('$3', 'ends')} AS idle_end) AS idle RETURNING *
     ) SELECT ${GRANT_COLUMNS} FROM s, u`,
    [userId, tokenHash, life.idle, life.absolute, from.ip, from.userAgent]
  )
  return grant
}

// After the login is committed: of several logins at once, the last one sees all sessions.
async function evict(acting: Acting, { user_id: user, sid: by }: Grant): Promise<void> {
  const tooMany = await acting.database.query<{ id: string }>(
    `/* sessions_surplus */ SELECT s.id FROM sessions s WHERE s.user_id = $1 AND ${SESSION_LIVES} ORDER BY s.last_used_at DESC, s.id OFFSET $2`,
    [user, MAX_SESSIONS]
  )
  if (tooMany.length === 0) return
  await transact(acting, async (connection, note) => {
    const ended = await connection.query<{ id: string }>(
      `/* sessions_end_surplus */ WITH ended AS (
         UPDATE sessions s SET ${setEnded("'evicted'")} WHERE s.ended_at IS NULL AND s.id = ANY ($1::uuid[]) RETURNING s.id
       ), told AS (${tellSessions('ended')}) SELECT id FROM ended`,
      [tooMany.map(({ id }) => id)]
    )
    for (const { id } of ended) note('session_evicted', { user, session: id, by })
  })
}

/**
 * Finds the caller of an access token; nothing if its session ended, its epoch is behind, or its user is not enabled.
 */
export async function findCaller(
  database: Queryable,
  { sid, sub, epoch }: { sid: string; sub: string; epoch: number }
): Promise<Caller | undefined> {
  const [caller] = await database.query<Caller>(
    `/* session_caller */ SELECT ${ACCOUNT_COLUMNS}, s.id AS sid FROM sessions s JOIN users u ON u.id = s.user_id
      WHERE s.id = $1 AND u.id = $2 AND u.epoch = $3 AND ${SESSION_LIVES} AND ${USER_ENABLED}`,
    [sid, sub, epoch]
  )
  return caller
}

/** One session as its user sees it in a list. */
interface Device {
  readonly id: string
  readonly created_at: Date
  readonly last_used_at: Date
  readonly user_agent: string | null
  readonly ip: string | null
}

/** Returns the live sessions of a user, the last used first. */
export async function findDevices(database: Queryable, userId: string): Promise<Device[]> {
  return database.query<Device>(
    `/* session_devices */ SELECT s.id, s.created_at, s.last_used_at, s.user_agent, s.ip FROM sessions s
      WHERE s.user_id = $1 AND ${SESSION_LIVES} ORDER BY s.last_used_at DESC, s.id`,
    [userId]
  )
}

/** Ends one session of a user; returns whether a live one was ended. Part of a transaction, with its record. */
export async function markEnded(
  connection: Queryable,
  { sid, userId, reason }: { sid: string; userId: string; reason: EndReason }
): Promise<boolean> {
  const ended = await connection.query(
    `/* session_end */ WITH ended AS (
       UPDATE sessions s SET ${setEnded('$3')} WHERE s.id = $1 AND s.user_id = $2 AND ${SESSION_LIVES} RETURNING s.id
     ), told AS (${tellSessions('ended')}) SELECT id FROM ended`,
    [sid, userId, reason]
  )
  return ended.length > 0
}

/** Deletes the clients of a user's sessions. Part of a transaction. */
export async function forgetClients(connection: Queryable, userId: string): Promise<void> {
  await connection.query(
    '/* sessions_forget_clients */ UPDATE sessions SET ip = NULL, user_agent = NULL WHERE user_id = $1',
    [userId]
  )
}
