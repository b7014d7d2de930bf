import type { Queryable } from '@latchkey/database/pool'
import { ACCOUNT_COLUMNS, type Account, comparable } from './account.ts'

/** Finds an account by its address, in any letter case. */
export async function findByEmail(database: Queryable, email: string): Promise<Account | undefined> {
  const [account] = await database.query<Account>(
    `/* user_by_email */ SELECT ${ACCOUNT_COLUMNS} FROM users u WHERE ${comparable('u.email')} = ${comparable('$1')} AND u.deleted_at IS NULL`,
    [email]
  )
  return account
}

/** Finds an account by its id. */
export async function findById(database: Queryable, id: string): Promise<Account | undefined> {
  const [account] = await database.query<Account>(
    `/* user_by_id */ SELECT ${ACCOUNT_COLUMNS} FROM users u WHERE u.id = $1 AND u.deleted_at IS NULL`,
    [id]
  )
  return account
}

/** Returns one page of accounts, ordered by address, after the address `after`; `search` is a part of the address. */
export async function findUsers(
  database: Queryable,
  { search = '', after = '', limit }: { search?: string; after?: string; limit: number }
): Promise<Account[]> {
  return database.query<Account>(
    `/* users_page */ SELECT ${ACCOUNT_COLUMNS} FROM users u
      WHERE u.deleted_at IS NULL AND ${comparable('u.email')} > ${comparable('$1')}
        AND strpos(${comparable('u.email')}, ${comparable('$2')}) > 0
      ORDER BY ${comparable('u.email')} LIMIT $3`,
    [after, search, limit]
  )
}

/** Finds and locks an account; with `withAdmins` also those of all enabled administrators, ordered by id. */
export async function lockAccounts(connection: Queryable, id: string, withAdmins: boolean): Promise<Account[]> {
  return connection.query<Account>(
    `/* users_lock */ SELECT ${ACCOUNT_COLUMNS} FROM users u
      WHERE u.deleted_at IS NULL AND u.id = ANY ($1::uuid || CASE WHEN $2 THEN
        ARRAY(SELECT a.id FROM users a WHERE 'admin' = ANY (a.roles) AND a.disabled_at IS NULL) ELSE '{}' END)
      ORDER BY u.id FOR NO KEY UPDATE`,
    [id, withAdmins]
  )
}

/**
 * Returns the token hash of a user, which tells whether a refresh token is from before a password change; nothing for a
 * deleted one.
 */
export async function findTokenHash(database: Queryable, userId: string): Promise<Buffer | undefined> {
  const [user] = await database.query<{ token_hash: Buffer | null }>(
    '/* user_token_hash */ SELECT token_hash FROM users WHERE id = $1',
    [userId]
  )
  return user?.token_hash ?? undefined
}

/**
 * Returns the highest bcrypt cost of a stored hash; nothing without any. Costs over 15 are ignored, because none is
 * made here.
 *
 * The index `users_cost` has it.
 */
export async function findHighestCost(database: Queryable): Promise<number | undefined> {
  const [row] = await database.query<{ cost: string | null }>(
    `/* users_highest_cost */ SELECT max(substr(password_hash, 5, 2) COLLATE "C") AS cost FROM users
      WHERE substr(password_hash, 5, 2) COLLATE "C" BETWEEN '04' AND '15'`,
    []
  )
  return row?.cost == null ? undefined : Number(row.cost)
}
