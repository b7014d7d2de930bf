import { Problem } from '@latchkey/tokens/errors'
import { ACCOUNT, type Account } from '../accounts/users.ts'
import type { Database, Queryable } from '../database.ts'
import { eraseUser, revokeAll } from '../sessions/revocation.ts'

/** One page of accounts in the order of their addresses, from after `after`; `search` is a part of the address. */
export async function listUsers(
  database: Queryable,
  { search = '', after = '', limit }: { search?: string; after?: string; limit: number }
): Promise<Account[]> {
  return database.query<Account>(
    `SELECT ${ACCOUNT} FROM users u
      WHERE u.deleted_at IS NULL AND lower(u.email) > lower($1) AND strpos(lower(u.email), lower($2)) > 0
      ORDER BY lower(u.email) LIMIT $3`,
    [after, search, limit]
  )
}

/** Gives a user these roles, and `user`; the next access tokens carry them, and those from before are refused here. */
export function setRoles(database: Database, id: string, roles: readonly string[]): Promise<Account> {
  const wanted = [...new Set(['user', ...roles])]
  return change(database, id, wanted.includes('admin'), async (connection) => {
    await connection.query('UPDATE users SET roles = $2, epoch = epoch + 1 WHERE id = $1 AND roles <> $2', [id, wanted])
  })
}

/** Adds a role to a user's, or takes it away. */
export function changeRole(database: Database, id: string, role: string, granted: boolean): Promise<Account> {
  return change(database, id, granted || role !== 'admin', async (connection) => {
    await connection.query(
      `UPDATE users SET epoch = epoch + 1, roles = CASE WHEN $3 THEN array_append(roles, $2) ELSE array_remove(roles, $2) END
        WHERE id = $1 AND ($2 = ANY (roles)) <> $3`,
      [id, role, granted]
    )
  })
}

/** Disables a user: every session ends and nobody logs in as him. */
export function disableUser(database: Database, id: string): Promise<Account> {
  return change(database, id, false, async (connection) => {
    await connection.query('UPDATE users SET disabled_at = now() WHERE id = $1 AND disabled_at IS NULL', [id])
    await revokeAll(connection, id, 'disabled')
  })
}

/** Lets a disabled user log in again. */
export function enableUser(database: Database, id: string): Promise<Account> {
  return change(database, id, true, async (connection) => {
    await connection.query('UPDATE users SET disabled_at = NULL WHERE id = $1', [id])
  })
}

/** Ends every session of a user. */
export function endSessions(database: Database, id: string): Promise<Account> {
  return change(database, id, true, async (connection) => {
    await revokeAll(connection, id, 'ended_by_admin')
  })
}

/** Deletes an account: its sessions end and its personal data goes. */
export async function deleteUser(database: Database, id: string): Promise<void> {
  await change(database, id, false, (connection) => eraseUser(connection, id))
}

// Of two that take each other's right at once, both would see another admin left: so the admins' rows are locked first,
// always in the order of their ids. Returns the account as it was left, or for a deleted one as it was.
async function change(
  database: Database,
  id: string,
  staysAdmin: boolean,
  apply: (connection: Queryable) => Promise<void>
): Promise<Account> {
  return database.transaction(async (connection) => {
    const admins = await connection.query<{ id: string }>(
      `SELECT u.id FROM users u WHERE 'admin' = ANY (u.roles) AND u.disabled_at IS NULL AND u.deleted_at IS NULL
        ORDER BY u.id FOR UPDATE`
    )
    const before = await read(connection, id)
    if (!before) throw new Problem('not_found')
    if (!staysAdmin && admins.length === 1 && admins[0]?.id === id) throw new Problem('last_admin')
    await apply(connection)
    return (await read(connection, id)) ?? before
  })
}

async function read(connection: Queryable, id: string): Promise<Account | undefined> {
  const [account] = await connection.query<Account>(
    `SELECT ${ACCOUNT} FROM users u WHERE u.id = $1 AND u.deleted_at IS NULL FOR UPDATE`,
    [id]
  )
  return account
}
