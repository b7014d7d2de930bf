import { randomBytes } from 'node:crypto'
import type { Queryable } from '../database.ts'

/** A row of `users` that is neither deleted nor half. */
export interface Account {
  readonly id: string
  readonly email: string
  readonly username: string
  readonly password_hash: string
  readonly token_hash: Buffer
  readonly epoch: number
  readonly roles: string[]
  readonly email_verified: boolean
  readonly created_at: Date
  readonly disabled_at: Date | null
}

/** The columns of an {@link Account}, of the table `u`. */
export const ACCOUNT =
  'u.id, u.email, u.username, u.password_hash, u.token_hash, u.epoch, u.roles, u.email_verified, u.created_at, u.disabled_at'

/**
 * The form in which addresses are compared, in SQL, of a column or a parameter. Collation C lower-cases A to Z alone and
 * everywhere alike; that of a Turkish database would make ı of I, and INFO@ and info@ two accounts.
 */
export const compared = (address: string) => `lower(${address}::text COLLATE "C")`

/** Makes a token hash: the 32 random bytes that key the custom key of a user's refresh tokens. */
export function newTokenHash(): Buffer {
  return randomBytes(32)
}

/** Finds an account by its address, in any letter case. */
export async function findByEmail(database: Queryable, email: string): Promise<Account | undefined> {
  const [account] = await database.query<Account>(
    `SELECT ${ACCOUNT} FROM users u WHERE ${compared('u.email')} = ${compared('$1')} AND u.deleted_at IS NULL`,
    [email]
  )
  return account
}

/** Finds an account by its id. */
export async function findById(database: Queryable, id: string): Promise<Account | undefined> {
  const [account] = await database.query<Account>(
    `SELECT ${ACCOUNT} FROM users u WHERE u.id = $1 AND u.deleted_at IS NULL`,
    [id]
  )
  return account
}

/** Adds an account, or nothing when the address is taken: however many try at once, one succeeds. */
export async function addUser(
  database: Queryable,
  { email, username, passwordHash }: { email: string; username: string; passwordHash: string }
): Promise<Account | undefined> {
  const [account] = await database.query<Account>(
    `INSERT INTO users AS u (id, email, username, password_hash, token_hash, created_at)
     VALUES (gen_random_uuid(), $1, $2, $3, $4, now())
     ON CONFLICT (${compared('email')}) DO NOTHING RETURNING ${ACCOUNT}`,
    [email, username, passwordHash, newTokenHash()]
  )
  return account
}

/** Renames a user; nothing when the account has gone or was disabled meanwhile. */
export async function renameUser(database: Queryable, id: string, username: string): Promise<Account | undefined> {
  const [account] = await database.query<Account>(
    `UPDATE users u SET username = $2 WHERE u.id = $1 AND u.deleted_at IS NULL AND u.disabled_at IS NULL RETURNING ${ACCOUNT}`,
    [id, username]
  )
  return account
}

/** Stores a hash of a higher cost, unless the password was changed since `compared` was read. Ends no session. */
export async function renewHash(database: Queryable, id: string, compared: string, renewed: string): Promise<void> {
  await database.query('UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2', [
    id,
    compared,
    renewed
  ])
}

/**
 * The highest bcrypt cost of a stored hash; nothing without any. Costs over 15 are not looked for: none is made here.
 *
 * The index `users_cost` has it in one look.
 */
export async function findHighestCost(database: Queryable): Promise<number | undefined> {
  const [row] = await database.query<{ cost: string | null }>(
    `SELECT max(substr(password_hash, 5, 2) COLLATE "C") AS cost FROM users
      WHERE substr(password_hash, 5, 2) COLLATE "C" BETWEEN '04' AND '15'`,
    []
  )
  return row?.cost == null ? undefined : Number(row.cost)
}
