import { randomBytes } from 'node:crypto'
import type { Queryable } from '@latchkey/database/pool'
import { tellSubjects } from '../revocations/rows.ts'
import { USER_ENABLED } from './account.ts'

/** Makes a token hash: the 32 random bytes from which the custom key of a user's refresh tokens is made. */
export function newTokenHash(): Buffer {
  return randomBytes(32)
}

/** Gives a user a new token hash and the next epoch, so no earlier token is valid. Part of a transaction. */
export async function replaceTokenHash(connection: Queryable, id: string): Promise<void> {
  await connection.query(
    `/* user_replace_token_hash */ WITH changed AS (UPDATE users SET token_hash = $2, epoch = epoch + 1 WHERE id = $1 RETURNING id, epoch)
     ${tellSubjects('changed')}`,
    [id, newTokenHash()]
  )
}

/** Locks the row of an enabled user with this token hash; returns whether there is one. Part of a transaction. */
export async function lockWithTokenHash(connection: Queryable, id: string, tokenHash: Buffer): Promise<boolean> {
  const unchanged = await connection.query(
    `/* user_lock_with_token_hash */ SELECT u.id FROM users u WHERE u.id = $1 AND u.token_hash = $2 AND ${USER_ENABLED} FOR NO KEY UPDATE`,
    [id, tokenHash]
  )
  return unchanged.length > 0
}

/** Added to each epoch after a restore: more than the lost commits can have added. */
const EPOCHS_AHEAD = 1000

/**
 * Gives the next `limit` users after the id `after` new token hashes, and epochs that no lost commit has reached.
 * Returns their ids. Part of a transaction. The revocation feed is not told of each: the caller tells it of everybody.
 */
export async function replaceTokenHashes(
  connection: Queryable,
  { after, limit }: { after: string | undefined; limit: number }
): Promise<string[]> {
  const users = await connection.query<{ id: string }>(
    `/* users_lock_next */ SELECT id FROM users WHERE deleted_at IS NULL AND ($1::uuid IS NULL OR id > $1)
      ORDER BY id LIMIT $2 FOR NO KEY UPDATE`,
    [after ?? null, limit]
  )
  const ids = users.map(({ id }) => id)
  await connection.query(
    `/* users_replace_token_hashes */ UPDATE users u SET token_hash = fresh.token_hash, epoch = epoch + $3
       FROM unnest($1::uuid[], $2::bytea[]) AS fresh (id, token_hash) WHERE u.id = fresh.id`,
    [ids, ids.map(newTokenHash), EPOCHS_AHEAD]
  )
  return ids
}
