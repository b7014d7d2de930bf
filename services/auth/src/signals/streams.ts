import { randomBytes, randomUUID } from 'node:crypto'
import type { Queryable } from '@latchkey/database/pool'
import { hashOfBearer } from '@latchkey/tokens/bearer-hash'

/** How a stream is delivered: the service sends (RFC 8935), or the receiver asks (RFC 8936). */
export type Method = 'push' | 'poll'

/** A stream as its operator sees it; it has no secret. */
export interface ListedStream {
  readonly id: string
  readonly method: Method
  readonly audience: string
  /** Where it is pushed to. */
  readonly endpoint: string | null
  readonly created_at: Date
  /** When a SET was last accepted or acknowledged. */
  readonly sent_at: Date | null
  /** Records of the audit log that it has not read yet. */
  readonly behind: number
  /** SETs that a receiver that polls has not acknowledged. */
  readonly waiting: number
  readonly lost: number
  readonly failures: number
  readonly last_error: string | null
}

/** Most streams: each costs every instance a look, twice a second. */
export const MOST_STREAMS = 32

/** A stream that is added. */
export type NewStream =
  | { readonly method: 'push'; readonly audience: string; readonly endpoint: string; readonly authorization?: string }
  | { readonly method: 'poll'; readonly audience: string }

/** What is told of a new stream, once; `token` is what its receiver polls with. */
export interface AddedStream {
  readonly id: string
  readonly token?: string
}

/**
 * Adds a stream that begins at the end of the audit log. Part of a transaction. Returns nothing if there are
 * {@link MOST_STREAMS} already, or one with the same endpoint or, of those that poll, the same audience.
 */
export async function addStream(connection: Queryable, stream: NewStream): Promise<AddedStream | undefined> {
  // Only one at a time, so that two do not add the last one, or the same.
  await connection.query('/* streams_lock */ LOCK TABLE signal_streams IN SHARE ROW EXCLUSIVE MODE')
  const id = randomUUID()
  const token = stream.method === 'poll' ? randomBytes(32).toString('base64url') : undefined
  const { endpoint = null, authorization = null } = stream.method === 'push' ? stream : {}
  const added = await connection.query(
    `/* stream_add */ INSERT INTO signal_streams (id, method, audience, endpoint, authorization_value, bearer_hash, seq, mark, read_at)
     SELECT $1, $2, $3, $4, $5, $6, h.seq, CASE WHEN h.seq > 0 THEN h.hash END, coalesce(h.at, now()) FROM audit_head h
      WHERE (SELECT count(*) FROM signal_streams) < $7 AND NOT EXISTS (
        SELECT FROM signal_streams s WHERE s.method = $2 AND (s.endpoint = $4 OR ($4 IS NULL AND s.audience = $3)))
     RETURNING id`,
    [id, stream.method, stream.audience, endpoint, authorization, token && hashOfBearer(token), MOST_STREAMS]
  )
  if (added.length === 0) return undefined
  return { id, ...(token !== undefined && { token }) }
}

/** Lists the streams, the oldest first. */
export function listStreams(connection: Queryable): Promise<ListedStream[]> {
  return connection.query<ListedStream>(
    `/* streams_list */ SELECT s.id, s.method, s.audience, s.endpoint, s.created_at, s.sent_at, greatest(h.seq - s.seq, 0) AS behind,
            (SELECT count(*) FROM signals_given g WHERE g.stream_id = s.id) AS waiting, s.lost, s.failures, s.last_error
       FROM signal_streams s CROSS JOIN audit_head h ORDER BY s.created_at, s.id`,
    []
  )
}

/** Removes a stream, and what waits for its receiver. Returns its method, or nothing if there is none of this id. */
export async function removeStream(connection: Queryable, id: string): Promise<Method | undefined> {
  const [row] = await connection.query<{ method: Method }>(
    '/* stream_remove */ DELETE FROM signal_streams WHERE id = $1::uuid RETURNING method',
    [id]
  )
  return row?.method
}

/** Finds how a stream is delivered, and makes what failed before due at once; nothing if there is none of this id. */
export async function wakeStream(connection: Queryable, id: string): Promise<Method | undefined> {
  const [row] = await connection.query<{ method: Method }>(
    '/* stream_wake */ UPDATE signal_streams SET due_at = now() WHERE id = $1::uuid RETURNING method',
    [id]
  )
  return row?.method
}
