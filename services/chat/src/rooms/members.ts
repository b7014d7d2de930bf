import type { Queryable } from '@latchkey/database/pool'
import type { Role } from '../rules.ts'

/** A member of a room. */
export interface Member {
  readonly user_id: string
  readonly username: string
  readonly role: Role
}

/** Who may not join a room. */
export interface Ban {
  readonly user_id: string
  /** The name that they had in the room. */
  readonly username: string | null
  readonly by_id: string
  readonly created_at: Date
}

/** Locks the rows of these members, in one order for everybody, so that two moderators who kick each other do not block. */
export async function lockMembers(connection: Queryable, room: string, users: readonly string[]): Promise<void> {
  await connection.query(
    '/* members_lock */ SELECT FROM members WHERE room_id = $1 AND user_id = ANY ($2) ORDER BY user_id FOR UPDATE',
    [room, users]
  )
}

/** Reads one member; nothing if they are none. */
export async function findMember(database: Queryable, room: string, user: string): Promise<Member | undefined> {
  const [row] = await database.query<Member>(
    '/* member_find */ SELECT user_id, username, role FROM members WHERE room_id = $1 AND user_id = $2',
    [room, user]
  )
  return row
}

/** Reads members in the order of their ids; `after` is the last id of the page before. */
export function membersOf(
  database: Queryable,
  { room, after, limit }: { room: string; after: string | null; limit: number }
): Promise<Member[]> {
  return database.query<Member>(
    `/* members_page */ SELECT user_id, username, role FROM members WHERE room_id = $1 AND ($2::uuid IS NULL OR user_id > $2)
     ORDER BY user_id LIMIT $3`,
    [room, after, limit]
  )
}

/** How many members a room has, and how many of them own it, inside a transaction that holds its head. */
export async function countMembers(connection: Queryable, room: string): Promise<{ members: number; owners: number }> {
  const [row] = await connection.query<{ members: number; owners: number }>(
    `/* members_count */ SELECT count(*) AS members, count(*) FILTER (WHERE role = 'owner') AS owners FROM members WHERE room_id = $1`,
    [room]
  )
  return row as { members: number; owners: number }
}

/** Adds a member who joined by the event of this number. */
export async function insertMember(
  connection: Queryable,
  room: string,
  { user_id, username, role }: Member,
  since: number
): Promise<void> {
  await connection.query(
    '/* member_add */ INSERT INTO members (room_id, user_id, username, role, since_seq) VALUES ($1, $2, $3, $4, $5)',
    [room, user_id, username, role, since]
  )
}

/** Gives a member another role. */
export async function changeRole(connection: Queryable, room: string, user: string, role: Role): Promise<void> {
  await connection.query('/* member_set_role */ UPDATE members SET role = $3 WHERE room_id = $1 AND user_id = $2', [
    room,
    user,
    role
  ])
}

/** Removes a member. */
export async function removeMember(connection: Queryable, room: string, user: string): Promise<void> {
  await connection.query('/* member_remove */ DELETE FROM members WHERE room_id = $1 AND user_id = $2', [room, user])
}

/** Tells whether a user is banned. */
export async function isBanned(connection: Queryable, room: string, user: string): Promise<boolean> {
  const rows = await connection.query('/* ban_find */ SELECT FROM bans WHERE room_id = $1 AND user_id = $2', [
    room,
    user
  ])
  return rows.length > 0
}

/** Bans a user. */
export async function insertBan(
  connection: Queryable,
  room: string,
  { user_id, username, by_id }: Omit<Ban, 'created_at'>
): Promise<void> {
  await connection.query('/* ban_add */ INSERT INTO bans (room_id, user_id, username, by_id) VALUES ($1, $2, $3, $4)', [
    room,
    user_id,
    username,
    by_id
  ])
}

/** Reads bans in the order of the ids of the banned; `after` is the last id of the page before. */
export function bansOf(
  database: Queryable,
  { room, after, limit }: { room: string; after: string | null; limit: number }
): Promise<Ban[]> {
  return database.query<Ban>(
    `/* bans_page */ SELECT user_id, username, by_id, created_at FROM bans
     WHERE room_id = $1 AND ($2::uuid IS NULL OR user_id > $2) ORDER BY user_id LIMIT $3`,
    [room, after, limit]
  )
}

/** Lifts a ban. */
export async function removeBan(connection: Queryable, room: string, user: string): Promise<void> {
  await connection.query('/* ban_remove */ DELETE FROM bans WHERE room_id = $1 AND user_id = $2', [room, user])
}
