import type { Queryable } from '@latchkey/database/pool'
import { comparable } from './account.ts'
import { newTokenHash } from './token-hash.ts'

/** An account from elsewhere. */
export interface ImportedAccount {
  readonly email: string
  readonly username: string
  /** Null: nobody logs in until a mailed code has set a password. */
  readonly passwordHash: string | null
  readonly verified: boolean
  readonly roles: readonly string[]
  /** Unknown: the time of the import. */
  readonly createdAt: Date | undefined
}

/** Returns the places, from 0, of those of these addresses that an account has already, in any letter case. */
export async function findTakenPlaces(database: Queryable, addresses: readonly string[]): Promise<number[]> {
  const taken = await database.query<{ place: number }>(
    `/* users_taken */ SELECT asked.place - 1 AS place FROM unnest($1::text[]) WITH ORDINALITY AS asked (address, place)
       JOIN users u ON ${comparable('u.email')} = ${comparable('asked.address')}`,
    [addresses]
  )
  return taken.map(({ place }) => place)
}

/** Adds accounts and returns how many: one whose address is taken is left out. Part of a transaction. */
export async function addImported(connection: Queryable, accounts: readonly ImportedAccount[]): Promise<number> {
  const added = await connection.query(
    `/* users_import */ INSERT INTO users (id, email, username, password_hash, token_hash, email_verified, roles, created_at)
     SELECT gen_random_uuid(), i.email, i.username, i.password_hash, i.token_hash, i.verified, i.roles::text[],
            coalesce(i.created_at, now())
       FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::boolean[], $6::text[], $7::timestamptz[])
            AS i (email, username, password_hash, token_hash, verified, roles, created_at)
     ON CONFLICT (${comparable('email')}) DO NOTHING RETURNING id`,
    [
      accounts.map(({ email }) => email),
      accounts.map(({ username }) => username),
      accounts.map(({ passwordHash }) => passwordHash),
      accounts.map(newTokenHash),
      accounts.map(({ verified }) => verified),
      // Words of lower-case letters, so an array of PostgreSQL needs no quotes.
      accounts.map(({ roles }) => `{${roles.join(',')}}`),
      accounts.map(({ createdAt }) => createdAt?.toISOString() ?? null)
    ]
  )
  return added.length
}
