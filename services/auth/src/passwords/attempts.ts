import { createHash } from 'node:crypto'
import { BATCH, removeInBatches } from '@latchkey/database/batches'
import type { Queryable } from '@latchkey/database/pool'
import type { Statement } from '@latchkey/database/statement'
import { Problem } from '@latchkey/problems/problem'

/** A counter of wrong passwords: one for all strangers of an address, and one for each known device of an account. */
export type Bucket = Buffer

/** The bucket of all attempts at an address without a token, in any letter case, with or without an account. */
export function strangersOf(email: string): Bucket {
  return bucket('strangers', email.toLowerCase())
}

/** The bucket of one device of an account: strangers cannot fill it, so they cannot lock the device out. */
export function deviceOf(userId: string, sid: string): Bucket {
  return bucket('device', userId, sid)
}

function bucket(...names: string[]): Bucket {
  return createHash('sha256').update(names.join('\n')).digest()
}

// Ten failures are free. The next attempt waits 1 s, then twice as long each time, at most 15 minutes. The exponent is
// limited, because an interval that is too long is an error and would lock the account for ever. A free attempt sets no
// time: of several at once, the one that is counted last may have the earliest now(). A time that is further off than the
// longest wait was set before the clock went back, or by a server with a fast one, and has passed. Of several at once one
// may have set it after another began, so there now() is too early.
const FREE = 10
const LONGEST = "interval '15 minutes'"
const MAY_TRY = `(a.next_at <= now() OR a.next_at > clock_timestamp() + ${LONGEST})`
const FORGOTTEN = "a.updated_at < now() - interval '24 hours'"
const COUNT = `
  INSERT INTO attempts AS a (bucket, failures, next_at, updated_at, sweep_on)
  VALUES ($1, 1, 'epoch', now(), now()::date + 2)
  ON CONFLICT (bucket) DO UPDATE SET
    failures = CASE WHEN ${FORGOTTEN} THEN 1 ELSE a.failures + 1 END,
    next_at = CASE WHEN a.failures + 1 < ${FREE} OR ${FORGOTTEN} THEN 'epoch'
                   ELSE now() + least(${LONGEST}, interval '1 second' * 2 ^ least(a.failures + 1 - ${FREE}, 10)) END,
    updated_at = now(), sweep_on = now()::date + 2`

// Uses up the free attempts of a bucket, as if they had failed.
const USE_UP: Statement = `/* attempt_use_up */
  INSERT INTO attempts AS a (bucket, failures, next_at, updated_at, sweep_on)
  VALUES ($1, ${FREE}, now() + interval '1 second', now(), now()::date + 2)
  ON CONFLICT (bucket) DO UPDATE SET
    failures = excluded.failures, next_at = excluded.next_at, updated_at = now(), sweep_on = excluded.sweep_on
  WHERE a.failures < ${FREE} OR ${FORGOTTEN}`

/** A counted attempt: its bucket, and how many have failed there if this one does. */
interface Attempt {
  readonly bucket: Bucket
  readonly failures: number
}

/** The buckets in which an attempt may count. */
export interface Buckets {
  readonly strangers: Bucket
  readonly device: Bucket | undefined
}

/**
 * Counts an attempt before its password is compared: in the bucket of the device, if it is known and has attempts left,
 * otherwise in the strangers'. Counting after the comparison would let any number of parallel attempts through.
 *
 * A device with ten failures counts as unknown, and strangers then have no free attempts: a thief of its token has had
 * ten guesses. Strangers use up no attempts of a device.
 *
 * Throws `too_many_requests` if the attempt has to wait.
 */
export async function countAttempt(database: Queryable, { strangers, device }: Buckets): Promise<Attempt> {
  if (device) {
    const failures = await count(database, device, `a.failures < ${FREE} OR ${FORGOTTEN}`)
    if (failures !== undefined) return { bucket: device, failures }
    // The device's attempts may still be running and have used up nothing yet.
    await database.query(USE_UP, [strangers])
  }
  const failures = await count(database, strangers, MAY_TRY)
  if (failures !== undefined) return { bucket: strangers, failures }
  const [row] = await database.query<{ wait: number }>(
    '/* attempt_wait */ SELECT extract(epoch FROM next_at - now())::float8 AS wait FROM attempts WHERE bucket = $1',
    [strangers]
  )
  throw new Problem('too_many_requests', {
    reason: 'too many wrong passwords for this address',
    limit: 'account',
    retryAfter: row?.wait ?? 1
  })
}

// One statement, so that of parallel attempts each is counted and no more than allowed pass. Returns how many have
// failed with this one, or nothing if the condition is false.
async function count(database: Queryable, bucket: Bucket, condition: string): Promise<number | undefined> {
  const [row] = await database.query<{ failures: number }>(
    `/* attempt_count */ ${COUNT} WHERE ${condition} RETURNING failures`,
    [bucket]
  )
  return row?.failures
}

/** Takes an attempt back whose password could not be compared. */
export async function takeBackAttempt(database: Queryable, { bucket }: Attempt): Promise<void> {
  await database.query(
    `/* attempt_take_back */ WITH first AS (DELETE FROM attempts WHERE bucket = $1 AND failures = 1)
     UPDATE attempts SET failures = failures - 1, next_at = 'epoch' WHERE bucket = $1 AND failures > 1`,
    [bucket]
  )
}

/**
 * Notes that an attempt has failed. It is counted already; the last one of a device uses up the free attempts of
 * strangers.
 */
export async function failAttempt(database: Queryable, buckets: Buckets, { bucket, failures }: Attempt): Promise<void> {
  if (bucket === buckets.device && failures === FREE) await database.query(USE_UP, [buckets.strangers])
}

/** Removes the failures in the bucket of an attempt: its password was right. */
export async function forgetAttempts(database: Queryable, { bucket }: Attempt): Promise<void> {
  await forgetBucket(database, bucket)
}

/** Removes the failures in a bucket. */
export async function forgetBucket(database: Queryable, bucket: Bucket): Promise<void> {
  await database.query('/* attempts_forget */ DELETE FROM attempts WHERE bucket = $1', [bucket])
}

const OLD: Statement = `/* attempts_sweep */
  WITH old AS MATERIALIZED (
    SELECT a.bucket FROM attempts a
     WHERE a.sweep_on <= now()::date AND ${FORGOTTEN}
     ORDER BY a.sweep_on LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)
  DELETE FROM attempts a USING old WHERE a.bucket = old.bucket RETURNING a.bucket`

/** Removes attempts whose bucket was not used for a day. Returns the number of rows. */
export async function sweepAttempts(database: Queryable, stopping?: AbortSignal): Promise<number> {
  return removeInBatches(database, { statement: OLD }, stopping)
}
