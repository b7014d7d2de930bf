import { createHash } from 'node:crypto'
import { BATCH, removeInBatches } from '@latchkey/database/batches'
import type { Queryable } from '@latchkey/database/pool'
import { Problem } from '@latchkey/problems/problem'

/** Where wrong passwords are counted: all strangers of an address together, and each known device of an account by itself. */
export type Bucket = Buffer

/** The bucket of everybody who tries an address without a token, in whatever letter case, account or not. */
export function strangersOf(email: string): Bucket {
  return bucket('strangers', email.toLowerCase())
}

/** The bucket of one device of an account: strangers cannot fill it, so they cannot lock it out. */
export function deviceOf(userId: string, sid: string): Bucket {
  return bucket('device', userId, sid)
}

function bucket(...names: string[]): Bucket {
  return createHash('sha256').update(names.join('\n')).digest()
}

// Ten failures are free. The next try waits 1 s, then twice as long each time, 15 minutes at the most; the exponent is
// capped because an interval too long is an error, which would close the account for good. A free try sets no time: of
// those at once the one that is counted last may have the earliest now().
const FREE = 10
const FORGOTTEN = "a.updated_at < now() - interval '24 hours'"
const COUNT = `
  INSERT INTO attempts AS a (bucket, failures, next_at, updated_at, sweep_on)
  VALUES ($1, 1, 'epoch', now(), now()::date + 2)
  ON CONFLICT (bucket) DO UPDATE SET
    failures = CASE WHEN ${FORGOTTEN} THEN 1 ELSE a.failures + 1 END,
    next_at = CASE WHEN a.failures + 1 < ${FREE} OR ${FORGOTTEN} THEN 'epoch'
                   ELSE now() + least(interval '15 minutes', interval '1 second' * 2 ^ least(a.failures + 1 - ${FREE}, 10)) END,
    updated_at = now(), sweep_on = now()::date + 2`

// Takes the free tries that are left in a bucket, as if they had failed.
const USE_UP = `
  INSERT INTO attempts AS a (bucket, failures, next_at, updated_at, sweep_on)
  VALUES ($1, ${FREE}, now() + interval '1 second', now(), now()::date + 2)
  ON CONFLICT (bucket) DO UPDATE SET
    failures = excluded.failures, next_at = excluded.next_at, updated_at = now(), sweep_on = excluded.sweep_on
  WHERE a.failures < ${FREE} OR ${FORGOTTEN}`

/** A try that was counted: in which bucket, and how many have failed there if this one does. */
interface Attempt {
  readonly bucket: Bucket
  readonly failures: number
}

/** The buckets that a try may count in. */
export interface Buckets {
  readonly strangers: Bucket
  readonly device: Bucket | undefined
}

/**
 * Counts a try before its password is compared, in the bucket of the device if it is known and has failures left, else
 * in the strangers'. Counting after the comparison would let any number of parallel tries through.
 *
 * A device whose ten have failed counts as unknown, and none of the strangers' tries is free then: whoever has stolen its
 * token has had ten guesses. Strangers take nothing from a device.
 *
 * Throws `too_many_requests` when the try has to wait.
 */
export async function countAttempt(database: Queryable, { strangers, device }: Buckets): Promise<Attempt> {
  if (device) {
    const failures = await count(database, device, `a.failures < ${FREE} OR ${FORGOTTEN}`)
    if (failures !== undefined) return { bucket: device, failures }
    // The tries of the device may be under way yet, and have used up nothing.
    await database.query(USE_UP, [strangers])
  }
  const failures = await count(database, strangers, 'a.next_at <= now()')
  if (failures !== undefined) return { bucket: strangers, failures }
  const [row] = await database.query<{ wait: number }>(
    'SELECT extract(epoch FROM next_at - now())::float8 AS wait FROM attempts WHERE bucket = $1',
    [strangers]
  )
  throw new Problem('too_many_requests', {
    reason: 'too many wrong passwords for this address',
    retryAfter: row?.wait ?? 1
  })
}

// One statement, so that of any number at once each is counted and no more than allowed pass. Says how many have failed
// with this one; nothing when the condition does not hold.
async function count(database: Queryable, bucket: Bucket, condition: string): Promise<number | undefined> {
  const [row] = await database.query<{ failures: number }>(`${COUNT} WHERE ${condition} RETURNING failures`, [bucket])
  return row?.failures
}

/** Counts a try as not made: its password could not be compared. */
export async function takeBackAttempt(database: Queryable, { bucket }: Attempt): Promise<void> {
  await database.query(
    `WITH first AS (DELETE FROM attempts WHERE bucket = $1 AND failures = 1)
     UPDATE attempts SET failures = failures - 1, next_at = 'epoch' WHERE bucket = $1 AND failures > 1`,
    [bucket]
  )
}

/** Notes that a try has failed. It is counted already; the last one of a device uses up the free tries of the strangers. */
export async function failAttempt(database: Queryable, buckets: Buckets, { bucket, failures }: Attempt): Promise<void> {
  if (bucket === buckets.device && failures === FREE) await database.query(USE_UP, [buckets.strangers])
}

/** Forgets the failures in the bucket of a try: its password was right. */
export async function forgetAttempts(database: Queryable, { bucket }: Attempt): Promise<void> {
  await database.query('DELETE FROM attempts WHERE bucket = $1', [bucket])
}

const OLD = `
  WITH old AS MATERIALIZED (
    SELECT a.bucket FROM attempts a
     WHERE a.sweep_on <= now()::date AND ${FORGOTTEN}
     ORDER BY a.sweep_on LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)
  DELETE FROM attempts a USING old WHERE a.bucket = old.bucket RETURNING a.bucket`

/** Removes the attempts that are forgotten: none in the bucket for a day. Returns the number of rows. */
export async function sweepAttempts(database: Queryable, stopping?: AbortSignal): Promise<number> {
  return removeInBatches(database, { statement: OLD }, stopping)
}
