import type { Database, Queryable } from '@latchkey/database/pool'
import { claimsOf } from './tokens.ts'

/** A row of `sessions`. */
export interface SessionRow {
  readonly id: string
  readonly user_id: string
  readonly generation: number
  readonly created_at: Date
  readonly idle_ends_at: Date
  readonly ends_at: Date
  readonly ended_at: Date | null
  readonly end_reason: string | null
}

/** The session that a token, of either kind, belongs to. */
export async function sessionOf(database: Database<string>, token: string): Promise<SessionRow> {
  const [row] = await database.query<SessionRow>('SELECT * FROM sessions WHERE id = $1', [claimsOf(token)['sid']])
  if (!row) throw new Error('the token has no session')
  return row
}

/** All that the database holds of a user, to be compared with itself later. */
export function everythingOf(database: Database<string>, userId: string): Promise<object[]> {
  return database.query(
    'SELECT u.*, s.* FROM users u LEFT JOIN sessions s ON s.user_id = u.id WHERE u.id = $1 ORDER BY s.id',
    [userId]
  )
}

/**
 * Adds sessions of a user, each last used a minute before the one before it, all a day ago. They end so many hours from
 * now; a negative number: they have ended.
 */
export async function addSessions(
  database: Database<string>,
  userId: string,
  count: number,
  hours: number
): Promise<void> {
  await database.query(
    `INSERT INTO sessions (id, user_id, created_at, last_used_at, idle_ends_at, ends_at, sweep_on)
     SELECT gen_random_uuid(), $1, now(), now() - interval '1 day' - n * interval '1 minute', ends, ends, ends::date + 2
       FROM generate_series(1, $2) n, (SELECT now() + make_interval(hours => $3)) AS t (ends)`,
    [userId, count, hours]
  )
}

/**
 * Remembers a user and all their sessions; what it returns makes the database forget all that was written since, as a
 * fail-over to a standby does that had not got it yet.
 */
export async function remember(database: Database<string>, userId: string): Promise<() => Promise<void>> {
  const rows = await database.query<{ user: object; sessions: object[] }>(
    `SELECT to_jsonb(u) AS user, (SELECT coalesce(jsonb_agg(s), '[]') FROM sessions s WHERE s.user_id = u.id) AS sessions
       FROM users u WHERE u.id = $1`,
    [userId]
  )
  return () =>
    database.transaction(async (connection) => {
      const [known] = rows
      const [user, sessions] = [JSON.stringify(known?.user), JSON.stringify(known?.sessions)]
      // Only what the service itself may do: it deletes no user.
      await connection.query(
        `UPDATE users u SET email = r.email, username = r.username, password_hash = r.password_hash, token_hash = r.token_hash,
                epoch = r.epoch, roles = r.roles, disabled_at = r.disabled_at, deleted_at = r.deleted_at
           FROM jsonb_populate_record(NULL::users, $1::jsonb) AS r WHERE u.id = r.id`,
        [user]
      )
      await connection.query('DELETE FROM sessions WHERE user_id = $1', [userId])
      await connection.query('INSERT INTO sessions SELECT * FROM jsonb_populate_recordset(NULL::sessions, $1::jsonb)', [
        sessions
      ])
    })
}

/** How many sessions of a user live. */
export async function liveSessions(database: Database<string>, userId: string): Promise<number> {
  const rows = await database.query('SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL', [userId])
  return rows.length
}

/** What can become of a session or its user, after which nothing that was issued before counts, each as a statement with the user's id. */
export const ENDINGS = {
  'the session was ended': "UPDATE sessions SET ended_at = now(), end_reason = 'evicted' WHERE user_id = $1",
  'the session was not used for too long': 'UPDATE sessions SET idle_ends_at = now() WHERE user_id = $1',
  'the session grew too old': 'UPDATE sessions SET idle_ends_at = now(), ends_at = now() WHERE user_id = $1',
  'the session is gone': 'DELETE FROM sessions WHERE user_id = $1',
  'the user was disabled': 'UPDATE users SET disabled_at = now() WHERE id = $1',
  'the user was deleted': `UPDATE users SET deleted_at = now(), email = NULL, username = NULL, password_hash = NULL,
     token_hash = NULL WHERE id = $1`
}

/** Resolves when a statement waits for a lock in this database. */
export async function aStatementWaits({ database }: { database: Queryable<string> }): Promise<void> {
  const waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
  while ((await database.query(waiting)).length === 0);
}
