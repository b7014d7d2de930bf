import { createHash, randomBytes } from 'node:crypto'
import type { Queryable } from '@latchkey/database/pool'
import { Type } from 'typebox'
import { comparable, USER_ENABLED } from '../users/account.ts'
import type { CodePurpose } from './purposes.ts'

/** The symbols of Crockford's base32: no I, L, O or U, so nobody mistakes one for another. */
const SYMBOLS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** 26 symbols of 5 bits: nobody can guess 130 bits. So wrong tries need no limit, which strangers could use up. */
const LENGTH = 26

/** A code as a person sends it: any letter case, with or without blanks and hyphens. */
export const CODE = Type.String({
  maxLength: 100,
  description: 'The code of the mail, in any letter case, with or without its hyphens',
  examples: ['0M3KQ-7B2XD-91ZTR-VH5NA-C8WPGE']
})

/** Makes a new code. */
export function newCode(): string {
  return Array.from(randomBytes(LENGTH), (byte) => SYMBOLS[byte % SYMBOLS.length]).join('')
}

/**
 * Makes the stored form (SHA-256) of a code, as it was made or as a person typed it. It reads a code as Crockford does:
 * O is 0, I and L are 1, blanks and hyphens do not count.
 */
export function hashOfCode(typed: string): Buffer {
  const read = typed
    .toUpperCase()
    .replaceAll(/[\s\p{Pd}]/gu, '')
    .replaceAll('O', '0')
    .replaceAll(/[IL]/g, '1')
  return createHash('sha256').update(read).digest()
}

/** A code that a person has shown, with the address that was sent beside it. */
export interface ShownCode {
  readonly code: string
  readonly email: string
}

/** The purpose of a code, and its user. A sign-up has no account yet. */
export type FoundCode =
  | { readonly purpose: 'sign_up'; readonly userId: null }
  | { readonly purpose: Exclude<CodePurpose, 'sign_up'>; readonly userId: string }

/** Finds an unexpired code that was mailed to this address. Its account may be disabled. */
export async function findCode(database: Queryable, { code, email }: ShownCode): Promise<FoundCode | undefined> {
  const [found] = await database.query<FoundCode>(
    `/* code_find */ SELECT c.purpose, c.user_id AS "userId" FROM codes c
      WHERE c.code_hash = $1 AND ${comparable('c.email')} = ${comparable('$2')} AND c.expires_at > now()`,
    [hashOfCode(code), email]
  )
  return found
}

/**
 * Locks the enabled user of a code, and then deletes the code. So of many requests with one code only one succeeds.
 * With `present`, only a code for the present address of the account is valid.
 *
 * Part of a transaction. Returns the address that the code proves, or nothing if the code is not valid any more. The
 * user is locked first, as in every change of a user: the other order would cause deadlocks.
 */
export async function useCode(
  connection: Queryable,
  { shown, userId, present }: { shown: ShownCode; userId: string; present: boolean }
): Promise<string | undefined> {
  const hash = hashOfCode(shown.code)
  const locked = await connection.query(
    `/* code_lock_user */ SELECT u.id FROM users u JOIN codes c ON c.user_id = u.id
      WHERE u.id = $1 AND c.code_hash = $2 AND ${USER_ENABLED}
        AND (NOT $3 OR ${comparable('c.email')} = ${comparable('u.email')}) FOR NO KEY UPDATE OF u`,
    [userId, hash, present]
  )
  if (locked.length === 0) return undefined
  const [used] = await connection.query<{ email: string }>(
    '/* code_use */ DELETE FROM codes WHERE code_hash = $1 AND expires_at > now() RETURNING email',
    [hash]
  )
  return used?.email
}

/** Deletes the codes of these users, or only those of one purpose. Part of a transaction that has locked the users. */
export async function forgetCodes(
  connection: Queryable,
  userIds: readonly string[],
  purpose?: CodePurpose
): Promise<void> {
  await connection.query(
    '/* codes_forget */ DELETE FROM codes WHERE user_id = ANY ($1::uuid[]) AND ($2::text IS NULL OR purpose = $2)',
    [userIds, purpose ?? null]
  )
}
