import type { Queryable } from '@latchkey/database/pool'
import { Problem } from '@latchkey/problems/problem'
import { tellSubjects } from '../revocations/rows.ts'
import { ACCOUNT_COLUMNS, type Account, comparable } from './account.ts'
import { newTokenHash } from './token-hash.ts'

/** What a new account has. `verified`, by default false: its address was shown to be its owner's. */
interface NewUser {
  readonly email: string
  readonly username: string
  /** Null: nobody logs in until a mailed code has set a password. */
  readonly passwordHash: string | null
  readonly verified?: boolean
  /** By default only `user`. */
  readonly roles?: readonly string[]
}

/** Adds an account; returns nothing if the address is taken. Of several at once only one succeeds. */
export async function addUser(
  database: Queryable,
  { email, username, passwordHash, verified = false, roles = ['user'] }: NewUser
): Promise<Account | undefined> {
  const [account] = await database.query<Account>(
    `/* user_add */ INSERT INTO users AS u (id, email, username, password_hash, token_hash, email_verified, roles, created_at)
     VALUES (gen_random_uuid(), $1, $2, $3, $4, $5, $6, now())
     ON CONFLICT (${comparable('email')}) DO NOTHING RETURNING ${ACCOUNT_COLUMNS}`,
    [email, username, passwordHash, newTokenHash(), verified, roles]
  )
  return account
}

/** Renames a user; returns nothing if the account was deleted or disabled meanwhile. */
export async function renameUser(database: Queryable, id: string, username: string): Promise<Account | undefined> {
  const [account] = await database.query<Account>(
    `/* user_rename */ UPDATE users u SET username = $2 WHERE u.id = $1 AND u.deleted_at IS NULL AND u.disabled_at IS NULL RETURNING ${ACCOUNT_COLUMNS}`,
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
  { compared, replacement }: { compared: string | null; replacement: string }
): Promise<boolean> {
  const changed = await database.query(
    '/* user_replace_hash */ UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2 RETURNING id',
    [id, compared, replacement]
  )
  return changed.length > 0
}

/** Stores the password of a reset: whoever had its code has shown that the address is theirs. Part of a transaction. */
export async function resetHash(connection: Queryable, id: string, passwordHash: string): Promise<void> {
  await connection.query(
    '/* user_reset_hash */ UPDATE users SET password_hash = $2, email_verified = true WHERE id = $1',
    [id, passwordHash]
  )
}

/** Notes that a user has shown that the address is theirs. */
export async function markVerified(connection: Queryable, id: string): Promise<void> {
  await connection.query('/* user_verify */ UPDATE users SET email_verified = true WHERE id = $1', [id])
}

/** SQLSTATE of a unique index that has the value already. */
const TAKEN = '23505'

/** Gives a user another address, which they have shown to be theirs. Throws `email_taken`. Part of a transaction. */
export async function replaceEmail(connection: Queryable, id: string, email: string): Promise<void> {
  try {
    await connection.query(
      '/* user_replace_email */ UPDATE users SET email = $2, email_verified = true WHERE id = $1',
      [id, email]
    )
  } catch (error) {
    throw (error as { code?: string }).code === TAKEN ? new Problem('email_taken') : error
  }
}

/**
 * Stores the roles of a user, and the next epoch. The same roles in another order are no change and end no access
 * token.
 */
export async function storeRoles(connection: Queryable, id: string, roles: readonly string[]): Promise<void> {
  await connection.query(
    `/* user_store_roles */ WITH changed AS (
       UPDATE users SET roles = $2, epoch = epoch + 1 WHERE id = $1 AND NOT (roles <@ $2 AND roles @> $2)
       RETURNING id, epoch
     ) ${tellSubjects('changed')}`,
    [id, roles]
  )
}

/** Disables a user; an earlier time stays. */
export async function markDisabled(connection: Queryable, id: string): Promise<void> {
  await connection.query(
    '/* user_disable */ UPDATE users SET disabled_at = now() WHERE id = $1 AND disabled_at IS NULL',
    [id]
  )
}

/** Enables a user. */
export async function markEnabled(connection: Queryable, id: string): Promise<void> {
  await connection.query('/* user_enable */ UPDATE users SET disabled_at = NULL WHERE id = $1', [id])
}

/** Deletes everything of an account except id, epoch and time; its sessions must have ended. Part of a transaction. */
export async function eraseAccount(connection: Queryable, id: string): Promise<void> {
  await connection.query(
    `/* user_erase */ UPDATE users SET deleted_at = now(), created_at = now(), email = NULL, username = NULL, password_hash = NULL,
            token_hash = NULL, email_verified = false, roles = '{}' WHERE id = $1`,
    [id]
  )
}
