import { randomUUID } from 'node:crypto'
import type { Queryable } from '@latchkey/database/pool'
import type { LogPlace } from './log.ts'
import type { Receiver } from './push.ts'
import type { Addressee } from './set.ts'

/** A stream that this instance sends now. */
export interface HeldStream extends Addressee, Receiver, LogPlace {
  /** Who holds it: another one each time that it is taken. */
  readonly holder: string
  readonly failures: number
}

/**
 * How long a stream is held without a sign of life, in seconds. Longer than any push, so that a second instance sends only
 * what the first one cannot be sending any more, unless it is frozen.
 */
const LEASE = 15

const FREE = 's.due_at <= now() AND (s.held_until IS NULL OR s.held_until <= now())'

/** A stream that is pushed, and whether there is something to do for it. */
export interface PushStream {
  readonly id: string
  readonly is_due: boolean
}

/**
 * Finds the streams that are pushed: one cheap statement. Where the log ends is not enough: after a restore it can end at the
 * number that a stream has read, with another record.
 */
export function findPushStreams(database: Queryable): Promise<PushStream[]> {
  return database.query<PushStream>(
    `/* streams_to_push */ SELECT s.id, (s.seq <> h.seq OR coalesce(s.mark <> h.hash, false)) AND ${FREE} AS is_due FROM signal_streams s CROSS JOIN audit_head h WHERE s.method = 'push'`,
    []
  )
}

/**
 * Takes a stream, so that no other instance sends it; nothing if somebody else has. The lease is a time in the row: no
 * connection is held while a receiver hangs, and of an instance that died or froze the stream is free when it ends.
 */
export async function takeStream(database: Queryable, id: string): Promise<HeldStream | undefined> {
  const [taken] = await database.query<HeldStream>(
    `/* stream_take */ UPDATE signal_streams s SET holder = $2, held_until = now() + interval '${LEASE} s' WHERE s.id = $1 AND ${FREE}
     RETURNING s.id, s.audience, s.endpoint, s.authorization_value, s.seq, s.mark, s.read_at, s.part, s.holder, s.failures`,
    [id, randomUUID()]
  )
  return taken
}

type Holding = Pick<HeldStream, 'id' | 'holder'>

const HELD = 's.id = $1 AND s.holder = $2'

/** What has become of the SETs up to a place: one was accepted, or some are lost. */
export interface Progress {
  readonly accepted?: boolean
  readonly lost?: number
}

/** Notes how far a stream is, and holds it on. Returns false if another instance has taken it, or it was removed. */
export async function advance(
  database: Queryable,
  { id, holder }: Holding,
  { seq, mark, read_at, part }: LogPlace,
  { accepted = false, lost = 0 }: Progress = {}
): Promise<boolean> {
  const held = await database.query(
    `/* stream_advance */ UPDATE signal_streams s SET seq = $3, mark = $4, read_at = $5, part = $6, lost = s.lost + $8, failures = 0, last_error = NULL,
            sent_at = CASE WHEN $7 THEN now() ELSE s.sent_at END, held_until = now() + interval '${LEASE} s'
      WHERE ${HELD} RETURNING s.id`,
    [id, holder, seq, mark, read_at, part, accepted, lost]
  )
  return held.length > 0
}

/** Lets go of a stream. */
export async function releaseStream(database: Queryable, { id, holder }: Holding): Promise<void> {
  await database.query(
    `/* stream_release */ UPDATE signal_streams s SET holder = NULL, held_until = NULL WHERE ${HELD}`,
    [id, holder]
  )
}

/** Lets go of a stream after a failure; it is due again in `wait` seconds. */
export async function postponeStream(
  database: Queryable,
  { id, holder }: Holding,
  { wait, reason }: { wait: number; reason: string }
): Promise<void> {
  await database.query(
    `/* stream_postpone */ UPDATE signal_streams s SET holder = NULL, held_until = NULL, failures = s.failures + 1, last_error = $4,
            due_at = now() + make_interval(secs => $3) WHERE ${HELD}`,
    [id, holder, wait, reason]
  )
}
