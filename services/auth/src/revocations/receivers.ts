import type { Queryable } from '@latchkey/database/pool'
import { MARK } from './source.ts'

/** Who reads the feed. */
export interface Receiver {
  readonly ip: string
  readonly userAgent: string
  /** It knows the entry of this number and all before. */
  readonly seq: number
  /** The mark of this place: the beginning of the id of its row. */
  readonly mark: string
  /** Whether it has shown the token of the feed. */
  readonly isAuthenticated: boolean
}

/** A receiver as it is stored. */
export interface SeenReceiver extends Receiver {
  /** Seconds since it asked last. */
  readonly ago: number
  /** Whether the database has its place; after a restore it may be one of another history. */
  readonly isKnown: boolean
}

/** Most receivers that are kept. */
export const MOST_RECEIVERS = 1000

/** Notes who has asked just now, and forgets all but the last 1,000; those without the token first. */
export async function noteReceivers(database: Queryable, receivers: readonly Receiver[]): Promise<void> {
  // In one order, so that two instances do not wait for each other.
  await database.query(
    `/* receivers_note */ INSERT INTO feed_receivers AS r (ip, user_agent, seq, mark, is_authenticated, asked_at)
     SELECT ip, user_agent, seq, mark, is_authenticated, now()
       FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::boolean[])
              AS n (ip, user_agent, seq, mark, is_authenticated)
      ORDER BY ip, user_agent
     ON CONFLICT (ip, user_agent)
     DO UPDATE SET seq = excluded.seq, mark = excluded.mark, is_authenticated = excluded.is_authenticated, asked_at = excluded.asked_at`,
    [
      receivers.map(({ ip }) => ip),
      receivers.map(({ userAgent }) => userAgent),
      receivers.map(({ seq }) => seq),
      receivers.map(({ mark }) => mark),
      receivers.map(({ isAuthenticated }) => isAuthenticated)
    ]
  )
  await database.query(
    `/* receivers_forget */ DELETE FROM feed_receivers d USING (
       SELECT ip, user_agent FROM feed_receivers ORDER BY is_authenticated DESC, asked_at DESC, ip, user_agent
       OFFSET ${MOST_RECEIVERS} FOR UPDATE SKIP LOCKED
     ) AS old WHERE d.ip = old.ip AND d.user_agent = old.user_agent`
  )
}

/** The receivers that have asked within so many seconds, the last first. */
export async function listReceivers(database: Queryable, within: number): Promise<SeenReceiver[]> {
  return database.query(
    `/* receivers_list */ SELECT f.ip, f.user_agent AS "userAgent", f.seq, f.mark, f.is_authenticated AS "isAuthenticated",
            extract(epoch FROM now() - f.asked_at)::float8 AS ago,
            EXISTS (SELECT FROM revocations r WHERE r.seq = f.seq AND ${MARK} = f.mark) AS "isKnown"
       FROM feed_receivers f WHERE f.asked_at > now() - make_interval(secs => $1) ORDER BY f.asked_at DESC, f.ip, f.user_agent`,
    [within]
  )
}
