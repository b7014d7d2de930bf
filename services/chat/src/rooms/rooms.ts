import type { Queryable } from '@latchkey/database/pool'
import type { Role } from '../rules.ts'

/** A room as one user stands to it. */
export interface Room {
  readonly id: string
  readonly name: string
  readonly visibility: 'public' | 'private'
  readonly created_at: Date
  readonly last_seq: number
  readonly closed: boolean
  /** Of the user; null: an outsider. */
  readonly role: Role | null
  readonly since_seq: number | null
  readonly is_banned: boolean
}

const ROOM = `SELECT r.id, r.name, r.visibility, r.created_at, h.last_seq, h.closed, m.role, m.since_seq,
    EXISTS (SELECT FROM bans b WHERE b.room_id = r.id AND b.user_id = $1) AS is_banned
  FROM rooms r JOIN heads h ON h.room_id = r.id LEFT JOIN members m ON m.room_id = r.id AND m.user_id = $1`

/** Reads a room and how a user stands to it; nothing if there is none. */
export async function findRoom(database: Queryable, room: string, user: string): Promise<Room | undefined> {
  const [row] = await database.query<Room>(`/* room_find */ ${ROOM} WHERE r.id = $2`, [user, room])
  return row
}

/** Locks the head of a room, so that nothing is added to it until the transaction ends. */
export async function lockHead(connection: Queryable, room: string): Promise<void> {
  await connection.query('/* room_lock */ SELECT FROM heads WHERE room_id = $1 FOR UPDATE', [room])
}

/** A page of rooms in the order of their names; `after` is the id of the last room of the page before. */
export interface RoomPage {
  readonly user: string
  readonly after: string | null
  readonly limit: number
}

const FROM_THERE = '($2::uuid IS NULL OR (r.name, r.id) > (SELECT a.name, a.id FROM rooms a WHERE a.id = $2))'

/** The rooms of a user, closed ones too. */
export function roomsOfUser(database: Queryable, { user, after, limit }: RoomPage): Promise<Room[]> {
  return database.query<Room>(
    `/* rooms_of_user */ ${ROOM} WHERE m.user_id = $1 AND ${FROM_THERE} ORDER BY r.name, r.id LIMIT $3`,
    [user, after, limit]
  )
}

/** The rooms that anybody may join. */
export function publicRooms(database: Queryable, { user, after, limit }: RoomPage): Promise<Room[]> {
  return database.query<Room>(
    `/* rooms_public */ ${ROOM} WHERE r.visibility = 'public' AND r.closed_at IS NULL AND ${FROM_THERE} ORDER BY r.name, r.id LIMIT $3`,
    [user, after, limit]
  )
}

/** Makes an empty room, inside a transaction; returns its id. */
export async function insertRoom(
  connection: Queryable,
  { name, visibility, user }: { name: string; visibility: string; user: string }
): Promise<string> {
  const [row] = await connection.query<{ id: string }>(
    `/* room_add */ WITH r AS (INSERT INTO rooms (name, visibility, created_by) VALUES ($1, $2, $3) RETURNING id),
          h AS (INSERT INTO heads (room_id) SELECT id FROM r)
     SELECT id FROM r`,
    [name, visibility, user]
  )
  return (row as { id: string }).id
}

/** Gives a room another name, inside a transaction that holds its head. */
export async function renameRoom(connection: Queryable, room: string, name: string): Promise<void> {
  await connection.query('/* room_rename */ UPDATE rooms SET name = $2 WHERE id = $1', [room, name])
}

/** Closes a room, inside a transaction that holds its head. */
export async function endRoom(connection: Queryable, room: string): Promise<void> {
  await connection.query(
    '/* room_close */ WITH h AS (UPDATE heads SET closed = true WHERE room_id = $1) UPDATE rooms SET closed_at = now() WHERE id = $1',
    [room]
  )
}

/**
 * Counts the open rooms that a user has made, and those that they are in (a closed one cannot be left), inside a transaction. Until it ends, no other one
 * counts for this user: so two at once cannot both take the last place.
 */
export async function countRooms(connection: Queryable, user: string): Promise<{ made: number; joined: number }> {
  await connection.query(
    "/* rooms_lock_user */ SELECT pg_advisory_xact_lock(hashtextextended('latchkey:chat:' || $1::text, 0))",
    [user]
  )
  const [row] = await connection.query<{ made: number; joined: number }>(
    `/* rooms_count */ SELECT (SELECT count(*) FROM rooms WHERE created_by = $1 AND closed_at IS NULL) AS made,
            (SELECT count(*) FROM members m JOIN rooms r ON r.id = m.room_id
             WHERE m.user_id = $1 AND r.closed_at IS NULL) AS joined`,
    [user]
  )
  return row as { made: number; joined: number }
}
