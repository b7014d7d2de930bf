import type { Queryable } from '@latchkey/database/pool'
import { EVENT_COLUMNS, type EventRow, eventOf, type RoomEvent } from './event.ts'

/** The name under which a user has written in a room; nothing if they never did. */
export async function nameOf(database: Queryable, room: string, user: string): Promise<string | undefined> {
  const [row] = await database.query<{ actor_name: string }>(
    // By the index of client ids.
    '/* writer_name */ SELECT actor_name FROM events WHERE room_id = $1 AND actor_id = $2 AND client_id IS NOT NULL LIMIT 1',
    [room, user]
  )
  return row?.actor_name
}

/** Reads the events of a room after a number, ascending. */
export async function eventsAfter(
  database: Queryable,
  { room, after, limit }: { room: string; after: number; limit: number }
): Promise<RoomEvent[]> {
  const rows = await database.query<EventRow>(
    `/* events_after */ SELECT ${EVENT_COLUMNS} FROM events WHERE room_id = $1 AND seq > $2 ORDER BY seq LIMIT $3`,
    [room, after, limit]
  )
  return rows.map(eventOf)
}

/** A page of messages: those before a number, nearest first, or those after it. */
export interface MessagePage {
  readonly room: string
  readonly before?: number | undefined
  readonly after?: number | undefined
  readonly limit: number
}

/** Reads messages of a room, ascending, without other events; the last ones unless the page says otherwise. */
export async function messagesOf(
  database: Queryable,
  { room, before, after, limit }: MessagePage
): Promise<RoomEvent[]> {
  if (after !== undefined) {
    const rows = await database.query<EventRow>(
      `/* messages_after */ SELECT ${EVENT_COLUMNS} FROM events WHERE room_id = $1 AND kind = 'message' AND seq > $2 ORDER BY seq LIMIT $3`,
      [room, after, limit]
    )
    return rows.map(eventOf)
  }
  const rows = await database.query<EventRow>(
    `/* messages_before */ SELECT ${EVENT_COLUMNS} FROM events WHERE room_id = $1 AND kind = 'message' AND seq < $2 ORDER BY seq DESC LIMIT $3`,
    [room, before ?? Number.MAX_SAFE_INTEGER, limit]
  )
  return rows.reverse().map(eventOf)
}

/** Reads one message: who sent it, and whether it was deleted; nothing if there is none of this number. */
export async function findMessage(
  database: Queryable,
  room: string,
  seq: number
): Promise<{ actor_id: string; is_deleted: boolean } | undefined> {
  const [row] = await database.query<{ actor_id: string; is_deleted: boolean }>(
    `/* message_author */ SELECT actor_id, deleted_at IS NOT NULL AS is_deleted FROM events
     WHERE room_id = $1 AND seq = $2 AND kind = 'message'`,
    [room, seq]
  )
  return row
}

/** Takes the text of a message away, inside a transaction that holds the head of its room. */
export async function eraseMessage(connection: Queryable, room: string, seq: number, by: string): Promise<void> {
  await connection.query(
    '/* message_delete */ UPDATE events SET text = NULL, deleted_at = now(), deleted_by = $3 WHERE room_id = $1 AND seq = $2',
    [room, seq, by]
  )
}

/** The last number of each of these rooms; rooms that are unknown are left out. */
export async function headsOf(database: Queryable, rooms: readonly string[]): Promise<Map<string, number>> {
  const rows = await database.query<{ room_id: string; last_seq: number }>(
    '/* room_heads */ SELECT room_id, last_seq FROM heads WHERE room_id = ANY ($1)',
    [rooms]
  )
  return new Map(rows.map(({ room_id, last_seq }) => [room_id, last_seq]))
}

/** The identity of the log; another one after a restore. */
export async function streamOf(database: Queryable): Promise<string> {
  const [row] = await database.query<{ id: string }>('/* stream_id */ SELECT id FROM stream')
  if (!row) throw new Error('the table stream is empty: write one row into it')
  return row.id
}
