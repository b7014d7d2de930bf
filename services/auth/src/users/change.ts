import type { Queryable } from '@latchkey/database/pool'
import { ACCOUNT_COLUMNS, type Account, comparable } from './account.ts'
import { newTokenHash } from './token-hash.ts'

/** Adds an account; returns nothing if the address is taken. Of several at once only one succeeds. */
export async function addUser(
  database: Queryable,
  { email, username, passwordHash }: { email: string; username: string; passwordHash: string }
): Promise<Account | undefined> {
  const [account] = await database.query<Account>(
    `INSERT INTO users AS u (id, email, username, password_hash, token_hash, created_at)
     VALUES (gen_random_uuid(), $1, $2, $3, $4, now())
     ON CONFLICT (${comparable('email')}) DO NOTHING RETURNING ${ACCOUNT_COLUMNS}`,
    [email, username, passwordHash, newTokenHash()]
  )
  return account
}

/** Renames a user; returns nothing if the account was deleted or disabled meanwhile. */
export async function renameUser(database: Queryable, id: string, username: string): Promise<Account | undefined> {
  const [account] = await database.query<Account>(
    `UPDATE users u SET username = $2 WHERE u.id = $1 AND u.deleted_at IS NULL AND u.disabled_at IS NULL RETURNING ${ACCOUNT_COLUMNS}`,
    [id, username]
  )
  return account
}

/**
 * Stores another hash, unless the password was changed since `compared` was read. Ends no session.
 *
 * Returns whether it was stored.
 */
export async function replaceHash(
  database: Queryable,
  id: string,
  { compared, replacement }: { compared: string; replacement: string }
): Promise<boolean> {
  const changed = await database.query(
    'UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2 RETURNING id',
    [id, compared, replacement]
  )
  return changed.length > 0
}

/**
 * Stores the roles of a user, and the next epoch. The same roles in another order are no change and end no access
 * token.
 */
export async function storeRoles(connection: Queryable, id: string, roles: readonly string[]): Promise<void> {
  await connection.query(
    'UPDATE users SET roles = $2, epoch = epoch + 1 WHERE id = $1 AND NOT (roles <@ $2 AND roles @> $2)',
    [id, roles]
  )
}

/** Disables a user; an earlier time stays. */
export async function markDisabled(connection: Queryable, id: string): Promise<void> {
  await connection.query('UPDATE users SET disabled_at = now() WHERE id = $1 AND disabled_at IS NULL', [id])
}

/** Enables a user. */
export async function markEnabled(connection: Queryable, id: string): Promise<void> {
  await connection.query('UPDATE users SET disabled_at = NULL WHERE id = $1', [id])
}

/** Deletes everything of an account except id, epoch and time; its sessions must have ended. Part of a transaction. */
export async function eraseAccount(connection: Queryable, id: string): Promise<void> {
  await connection.query(
    `UPDATE users SET deleted_at = now(), created_at = now(), email = NULL, username = NULL, password_hash = NULL,
            token_hash = NULL, email_verified = false, roles = '{}' WHERE id = $1`,
    [id]
  )
}
