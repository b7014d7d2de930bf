// The names of what goes over the socket: PROTOCOL.md has the rest.

/** The subprotocol that the page speaks. */
export const SUBPROTOCOL = 'latchkey.chat.v1'

/**
 * @typedef {'owner' | 'moderator' | 'member'} Role in a room
 *
 * @typedef {{ user_id: string, username: string }} Person
 *
 * @typedef {Person & { role: Role }} Member
 *
 * @typedef {{ user_id: string, username: string | null, by_id: string, created_at: string }} Ban
 *
 * @typedef {object} Room as answers show it
 * @property {string} id
 * @property {string} name
 * @property {'public' | 'private'} visibility
 * @property {boolean} closed
 * @property {number} head
 * @property {Role | null} role null: no member
 *
 * @typedef {object} RoomEvent
 * @property {number} seq
 * @property {string} kind
 * @property {string} created_at RFC 3339, for display alone
 * @property {Person} actor
 * @property {string} [client_id]
 * @property {string | null} [text] null once it is deleted
 * @property {boolean} [deleted]
 * @property {number} [target_seq]
 * @property {{ user_id: string, username: string | null }} [target]
 * @property {Role} [role]
 * @property {string} [name]
 *
 * @typedef {object} Hello
 * @property {string} user_id
 * @property {string} username
 * @property {string[]} roles of the token
 * @property {string} expires_at
 * @property {number} heartbeat_ms
 * @property {{ text_length: number, rooms_per_socket: number }} limits
 *
 * @typedef {{ type: string, [member: string]: unknown }} Frame
 */

/**
 * A room as the answer to a request has it: `id` is that of the request there, so the room's is `room`.
 *
 * @param {Omit<Room, 'id'> & { room: string }} answer
 * @returns {Room}
 */
export function roomOf({ room, ...rest }) {
  return { ...rest, id: room }
}
