import type { Queryable } from '@latchkey/database/pool'
import { ageOf, LONGEST_OFFER } from './age.ts'
import { COLUMNS, type LogPlace, readOn } from './log.ts'
import type { LoggedRecord } from './record.ts'
import { type Addressee, behind, isAhead, setsOf, type UnsignedSet } from './set.ts'

/** A stream whose receiver polls, locked. */
export interface PolledStream extends Addressee, LogPlace {}

/** Most SETs that a receiver has got and not acknowledged; it gets no new ones then. */
const MOST_GIVEN = 1000

/** Steps of reading on in one transaction. */
const MOST_STEPS = 10

/** Tells whether the log has something that a stream has not read: one cheap statement. */
export async function isBehind(database: Queryable, id: string): Promise<boolean> {
  const [row] = await database.query<{ is: boolean }>(
    '/* stream_is_behind */ SELECT s.seq <> h.seq OR coalesce(s.mark <> h.hash, false) AS is FROM signal_streams s CROSS JOIN audit_head h WHERE s.id = $1',
    [id]
  )
  return row?.is === true
}

/** Locks a stream whose receiver polls, so that its polls come one after the other; nothing if it was removed. */
export async function lockStream(connection: Queryable, id: string): Promise<PolledStream | undefined> {
  const [stream] = await connection.query<PolledStream>(
    `/* stream_lock */ SELECT s.id, s.audience, s.seq, s.mark, s.read_at, s.part FROM signal_streams s
      WHERE s.id = $1 AND s.method = 'poll' FOR UPDATE`,
    [id]
  )
  return stream
}

/** A SET that a receiver is done with. */
export interface Settled {
  readonly jti: string
  /** The time of its record, RFC 3339. */
  readonly at: string
}

/** Ends SETs of a stream that its receiver has acknowledged or refused. Returns those that were given; others are ignored. */
export async function settleGiven(connection: Queryable, id: string, jtis: readonly string[]): Promise<Settled[]> {
  if (jtis.length === 0) return []
  const settled = await connection.query<{ jti: string; at: Date }>(
    '/* signals_settle */ DELETE FROM signals_given WHERE stream_id = $1 AND jti = ANY ($2) RETURNING jti, at',
    [id, jtis]
  )
  return settled.map(({ jti, at }) => ({ jti, at: at.toISOString() }))
}

/** Gives up SETs that a receiver has not acknowledged for a week. Returns how many. */
export async function giveUpOld(connection: Queryable, id: string): Promise<number> {
  const late = await connection.query(
    `/* signals_give_up */ DELETE FROM signals_given WHERE stream_id = $1 AND at < now() - make_interval(secs => ${LONGEST_OFFER}) RETURNING jti`,
    [id]
  )
  return late.length
}

/** Reads the SETs that were given and not acknowledged, the oldest first, and counts all of them. */
export async function readGiven(
  connection: Queryable,
  stream: Addressee,
  { issuer, most }: { issuer: string; most: number }
): Promise<{ sets: UnsignedSet[]; all: number }> {
  const rows = await connection.query<LoggedRecord & { given: number; count: number }>(
    `/* signals_given */ SELECT g.part AS given, count(*) OVER () AS count, ${COLUMNS} FROM signals_given g JOIN audit_records r ON r.id = g.record_id
      WHERE g.stream_id = $1 ORDER BY g.seq, g.part LIMIT $2`,
    [stream.id, Math.max(most, 1)]
  )
  const sets = rows.flatMap(({ given, count: _count, ...record }) => setsOf(record, stream, issuer)[given] ?? [])
  return { sets: sets.slice(0, most), all: rows[0]?.count ?? 0 }
}

/** SETs that a stream has not read before, and how far it is then. */
interface NewSets {
  readonly sets: UnsignedSet[]
  readonly to: LogPlace
  /** How many were too old to be given. */
  readonly late: number
  /** Whether there may be others. */
  readonly more: boolean
}

/** Reads on in the log until there are `most` SETs, or it ends; at most 10,000 records. */
export async function readNew(
  connection: Queryable,
  stream: PolledStream,
  { begin, issuer, most }: { begin: LogPlace; issuer: string; most: number }
): Promise<NewSets> {
  const sets: UnsignedSet[] = []
  const now = Date.now()
  let to = begin
  let late = 0
  let more = true
  for (let step = 0; step < MOST_STEPS && more && sets.length < most; step += 1) {
    const page = await readOn(connection, to)
    const ahead = page.records.flatMap((record) => setsOf(record, stream, issuer)).filter((set) => isAhead(set, to))
    const fresh = ahead.filter(({ record }) => ageOf(record, now) <= LONGEST_OFFER)
    const taken = fresh.slice(0, most - sets.length)
    const last = taken.at(-1)
    const isAll = taken.length === fresh.length
    late += ahead.length - fresh.length
    sets.push(...taken)
    to = isAll || !last ? page.to : behind(last)
    more = page.more || !isAll
  }
  return { sets, to, late, more }
}

/** How many new SETs may be given while so many are not acknowledged. */
export function roomFor(most: number, { returned, all }: { returned: number; all: number }): number {
  return Math.max(0, Math.min(most - returned, MOST_GIVEN - all))
}

/** Notes what is given, and how far the stream is. */
export async function noteGiven(
  connection: Queryable,
  id: string,
  { sets, to, lost, acknowledged }: { sets: readonly UnsignedSet[]; to: LogPlace; lost: number; acknowledged: boolean }
): Promise<void> {
  if (sets.length > 0) {
    await connection.query(
      `/* signals_note_given */ INSERT INTO signals_given (stream_id, jti, seq, part, record_id, at)
       SELECT $1, s.* FROM unnest($2::text[], $3::bigint[], $4::integer[], $5::uuid[], $6::timestamptz[]) AS s
       ON CONFLICT DO NOTHING`,
      [
        id,
        sets.map(({ jti }) => jti),
        sets.map(({ record }) => record.seq),
        sets.map(({ part }) => part),
        sets.map(({ record }) => record.id),
        sets.map(({ record }) => record.at)
      ]
    )
  }
  await connection.query(
    `/* stream_note_place */ UPDATE signal_streams SET seq = $2, mark = $3, read_at = $4, part = $5, lost = lost + $6,
            sent_at = CASE WHEN $7 THEN now() ELSE sent_at END WHERE id = $1`,
    [id, to.seq, to.mark, to.read_at, to.part, lost, acknowledged]
  )
}
