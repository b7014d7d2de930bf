import type { Queryable } from '@latchkey/database/pool'
import type { Kind } from '@latchkey/tokens/claims'
import { tellKeys } from '../revocations/rows.ts'
import type { KeyTimes } from './rule.ts'

/** The times of all keys of both kinds, and the time of the reading, in seconds since 1970 by the same clock. */
export interface Register {
  readonly now: number
  readonly keys: readonly (KeyTimes & { readonly kind: Kind })[]
}

/** A key that an instance found in its folder, in a slot or among the revoked ones. */
export interface FoundKey {
  readonly kid: string
  readonly kind: Kind
  readonly revoked: boolean
}

/** Reads what the database knows of the keys. */
export async function readRegister(database: Queryable): Promise<Register> {
  const rows = await database.query<{ now: number; kid: string | null } & Register['keys'][number]>(
    `/* keys_read */ SELECT extract(epoch FROM now())::float8 AS now, k.kid, k.kind, k.revoked_at IS NOT NULL AS revoked,
            extract(epoch FROM k.first_seen_at)::float8 AS first_seen_at, extract(epoch FROM k.signs_from)::float8 AS signs_from
       FROM (SELECT 1) AS one LEFT JOIN signing_keys k ON true`
  )
  return { now: rows[0]?.now ?? 0, keys: rows.filter(({ kid }) => kid !== null) }
}

/** Lets only one instance write until its transaction ends; others may read. */
export async function lockRegister(connection: Queryable): Promise<void> {
  await connection.query('/* keys_lock */ LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE')
}

/** Stores new keys and revocations. Returns those that are new, and those that are revoked from now on. */
export async function recordFound(
  connection: Queryable,
  found: readonly FoundKey[]
): Promise<{ added: FoundKey[]; revoked: FoundKey[] }> {
  const changed: FoundKey[] = []
  for (const { kid, kind, revoked } of found) {
    const stored = await connection.query(
      `/* key_note */ WITH stored AS (
         INSERT INTO signing_keys AS k (kid, kind, first_seen_at, revoked_at)
         VALUES ($1, $2, now(), CASE WHEN $3 THEN now() END)
         ON CONFLICT (kid) DO UPDATE SET revoked_at = now() WHERE $3 AND k.revoked_at IS NULL RETURNING k.kid, k.revoked_at
       ), revoked AS (SELECT kid FROM stored WHERE revoked_at IS NOT NULL),
       told AS (${tellKeys('revoked')}) SELECT kid FROM stored`,
      [kid, kind, revoked]
    )
    if (stored.length > 0) changed.push({ kid, kind, revoked })
  }
  return { added: changed.filter((key) => !key.revoked), revoked: changed.filter((key) => key.revoked) }
}

/** Stores that these keys sign from now on, and returns them. */
export async function recordSigning(
  connection: Queryable,
  kids: readonly string[]
): Promise<Pick<FoundKey, 'kid' | 'kind'>[]> {
  return connection.query(
    '/* keys_sign */ UPDATE signing_keys SET signs_from = now() WHERE kid = ANY ($1) RETURNING kid, kind',
    [kids]
  )
}

/** Revokes a key that an instance has seen before; returns its kind, or nothing if no instance has seen it. */
export async function revokeKey(database: Queryable, kid: string): Promise<Kind | undefined> {
  const [row] = await database.query<{ kind: Kind }>(
    `/* key_revoke */ WITH revoked AS (UPDATE signing_keys SET revoked_at = now() WHERE kid = $1 AND revoked_at IS NULL RETURNING kid),
     told AS (${tellKeys('revoked')}) SELECT kind FROM signing_keys WHERE kid = $1`,
    [kid]
  )
  return row?.kind
}
