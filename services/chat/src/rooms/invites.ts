import { createHash, randomBytes } from 'node:crypto'
import { removeInBatches } from '@latchkey/database/batches'
import type { Queryable } from '@latchkey/database/pool'
import type { Statement } from '@latchkey/database/statement'
import { rolesThatMay } from '../rules.ts'

/** How long a code is good, in seconds. */
export const INVITE_LIFE = 7 * 86_400

/** The form of a code: 128 bits as base64url. */
export const CODE_PATTERN = '^[A-Za-z0-9_-]{22}$'

/** Makes a code by which others join a room, and keeps its hash; returns it. `byAdmin`: it stays good without its maker. */
export async function insertInvite(
  connection: Queryable,
  { room, user, byAdmin }: { room: string; user: string; byAdmin: boolean }
): Promise<string> {
  const code = randomBytes(16).toString('base64url')
  await connection.query(
    `/* invite_add */ INSERT INTO invites (code_hash, room_id, created_by, by_admin, expires_at)
     VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5))`,
    [hashOf(code), room, user, byAdmin, INVITE_LIFE]
  )
  return code
}

/** Tells whether a code opens a room now: it is of this room, not expired, and its maker may still invite. */
export async function isInvited(connection: Queryable, room: string, code: string): Promise<boolean> {
  const rows = await connection.query(
    `/* invite_find */ SELECT FROM invites i WHERE i.code_hash = $1 AND i.room_id = $2 AND i.expires_at > now()
       AND (i.by_admin OR EXISTS (
         SELECT FROM members m WHERE m.room_id = i.room_id AND m.user_id = i.created_by AND m.role = ANY ($3)))`,
    [hashOf(code), room, rolesThatMay('invite')]
  )
  return rows.length > 0
}

/** Removes codes that have expired. */
export function sweepInvites(database: Queryable, stopping: AbortSignal): Promise<number> {
  const statement: Statement = `/* invites_sweep */ WITH old AS MATERIALIZED (
      SELECT code_hash FROM invites WHERE expires_at < now() ORDER BY expires_at LIMIT 500 FOR UPDATE SKIP LOCKED)
    DELETE FROM invites USING old WHERE invites.code_hash = old.code_hash RETURNING 1`
  return removeInBatches(database, { statement }, stopping)
}

function hashOf(code: string): Buffer {
  return createHash('sha256').update(code).digest()
}
