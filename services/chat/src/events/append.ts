import type { Queryable } from '@latchkey/database/pool'
import type { NewEvent, Person, RoomEvent } from './event.ts'
import { EVENT_COLUMNS, type EventRow, eventOf } from './event.ts'

/** A message to be sent. */
export interface NewMessage {
  readonly room: string
  readonly sender: Person
  /** Chosen by the sender: the same one again is the same message. */
  readonly client_id: string
  readonly text: string
}

/** What became of a message: its place, or nothing if the sender may not send here. */
export type Sent = { readonly seq: number; readonly created_at: Date; readonly repeated: boolean } | undefined

/** The state of a message after a statement. */
interface SentRow {
  readonly seq: number | null
  readonly created_at: Date | null
  readonly again: number | null
  readonly again_at: Date | null
}

const SENT = (row: SentRow | undefined): Sent => {
  if (row?.again != null && row.again_at) return { seq: row.again, created_at: row.again_at, repeated: true }
  if (row?.seq != null && row.created_at) return { seq: row.seq, created_at: row.created_at, repeated: false }
  return undefined
}

/**
 * Adds a message to its room, if the sender has one of `roles` in it and it is open. What was sent before under the same
 * `client_id` is found, whatever has happened since.
 *
 * No ON CONFLICT: it would take the number and keep it. A duplicate at the same moment fails as a whole (23505), and
 * the statement is repeated.
 */
export async function appendMessage(
  database: Queryable,
  { room, sender, client_id, text }: NewMessage,
  roles: readonly string[]
): Promise<Sent> {
  const [row] = await database.query<SentRow>(
    `/* message_append */ WITH m AS MATERIALIZED (
       SELECT role FROM members WHERE room_id = $1 AND user_id = $2 FOR SHARE
     ), d AS (
       SELECT seq, created_at FROM events WHERE room_id = $1 AND actor_id = $2 AND client_id = $4
     ), h AS (
       UPDATE heads SET last_seq = last_seq + 1 FROM m
       WHERE room_id = $1 AND NOT closed AND m.role = ANY ($6) AND NOT EXISTS (SELECT FROM d) RETURNING last_seq
     ), i AS (
       INSERT INTO events (room_id, seq, kind, actor_id, actor_name, client_id, text)
       SELECT $1, last_seq, 'message', $2, $3, $4, $5 FROM h RETURNING seq, created_at
     )
     SELECT i.seq, i.created_at, d.seq AS again, d.created_at AS again_at
     FROM (VALUES (1)) AS one LEFT JOIN i ON true LEFT JOIN d ON true`,
    [room, sender.user_id, sender.username, client_id, text, roles]
  )
  return SENT(row)
}

/**
 * Adds messages of one room in one statement, as {@link appendMessage} does each, in their order. No two may have the
 * same sender and `client_id`.
 */
export async function appendMessages(
  database: Queryable,
  room: string,
  messages: readonly NewMessage[],
  roles: readonly string[]
): Promise<Sent[]> {
  const rows = await database.query<SentRow>(
    `/* messages_append */ WITH sent AS MATERIALIZED (
       SELECT * FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::text[])
         WITH ORDINALITY AS s (user_id, username, client_id, text, place)
     ), m AS MATERIALIZED (
       SELECT user_id, role FROM members WHERE room_id = $1 AND user_id = ANY ($2::uuid[]) ORDER BY user_id FOR SHARE
     ), d AS MATERIALIZED (
       SELECT s.place, e.seq, e.created_at FROM sent s
       JOIN events e ON e.room_id = $1 AND e.actor_id = s.user_id AND e.client_id = s.client_id
     ), fresh AS MATERIALIZED (
       SELECT s.*, row_number() OVER (ORDER BY s.place) AS number FROM sent s
       JOIN m ON m.user_id = s.user_id AND m.role = ANY ($6)
       WHERE NOT EXISTS (SELECT FROM d WHERE d.place = s.place)
     ), n AS (
       SELECT count(*) AS count FROM fresh
     ), h AS (
       UPDATE heads SET last_seq = last_seq + n.count FROM n
       WHERE room_id = $1 AND NOT closed AND n.count > 0 RETURNING last_seq - n.count AS before
     ), i AS (
       INSERT INTO events (room_id, seq, kind, actor_id, actor_name, client_id, text)
       SELECT $1, h.before + f.number, 'message', f.user_id, f.username, f.client_id, f.text FROM fresh f, h
       RETURNING actor_id, client_id, seq, created_at
     )
     SELECT i.seq, i.created_at, d.seq AS again, d.created_at AS again_at FROM sent s
     LEFT JOIN i ON i.actor_id = s.user_id AND i.client_id = s.client_id
     LEFT JOIN d ON d.place = s.place ORDER BY s.place`,
    [
      room,
      messages.map(({ sender }) => sender.user_id),
      messages.map(({ sender }) => sender.username),
      messages.map(({ client_id }) => client_id),
      messages.map(({ text }) => text),
      roles
    ]
  )
  return rows.map(SENT)
}

/** Adds another event to a room, inside a transaction that holds its head. */
export async function appendEvent(
  connection: Queryable,
  room: string,
  actor: Person,
  event: NewEvent
): Promise<RoomEvent> {
  const {
    kind,
    target_seq = null,
    target = null,
    ...rest
  } = event as NewEvent & {
    target_seq?: number
    target?: { user_id: string; username: string | null }
  }
  const data = { ...rest, ...(target && { username: target.username }) }
  const [row] = await connection.query<EventRow>(
    `/* event_append */ WITH h AS (
       UPDATE heads SET last_seq = last_seq + 1 WHERE room_id = $1 RETURNING last_seq
     )
     INSERT INTO events (room_id, seq, kind, actor_id, actor_name, target_seq, target_id, data)
     SELECT $1, last_seq, $2::text, $3, $4, $5, $6, $7 FROM h RETURNING ${EVENT_COLUMNS}`,
    [
      room,
      kind,
      actor.user_id,
      actor.username,
      target_seq,
      target?.user_id ?? null,
      Object.keys(data).length > 0 ? data : null
    ]
  )
  return eventOf(row as EventRow)
}
