/** @typedef {import('../protocol.js').RoomEvent} RoomEvent */

/** @type {Readonly<Record<string, string>>} */
export const ROLES = { owner: 'Owner', moderator: 'Moderator', member: 'Member' }

/** @type {Readonly<Record<string, string>>} */
const A_ROLE = { owner: 'an owner', moderator: 'a moderator', member: 'a member' }

/**
 * An event as a sentence; nothing for those that are not told.
 *
 * @param {RoomEvent} event
 * @returns {string | undefined}
 */
export function sentenceOf({ kind, actor, target, role, name }) {
  const who = actor.username
  const whom = target?.username ?? 'somebody'
  switch (kind) {
    case 'created':
      return `${who} made the room`
    case 'joined':
      return `${who} joined`
    case 'left':
      return `${who} left`
    case 'kicked':
      return `${who} removed ${whom}`
    case 'banned':
      return `${who} banned ${whom}`
    case 'unbanned':
      return `${who} lifted a ban`
    case 'role':
      return `${who} made ${whom} ${A_ROLE[role ?? 'member']}`
    case 'renamed':
      return `${who} named the room “${name}”`
    case 'closed':
      return `${who} closed the room`
    default:
      return undefined
  }
}

/**
 * Why a room can no longer be written in, or nothing.
 *
 * @param {{ gone: { kind: string, by?: string } | null, isClosed: boolean, role: string | null, isAdmin: boolean }} room
 * @returns {string | undefined}
 */
export function endOf({ gone, isClosed, role, isAdmin }) {
  if (gone?.kind === 'banned') return `${gone.by} banned you from this room. A moderator of it can lift that.`
  if (gone?.kind === 'kicked') return `${gone.by} removed you from this room.`
  if (gone?.kind === 'left') return 'You have left this room.'
  if (gone) return 'You are no longer in this room.'
  if (isClosed) return 'This room is closed. It can be read, nothing more.'
  if (role === null && isAdmin) return 'You read here as an administrator, without being a member.'
  return role === null ? 'You are not in this room.' : undefined
}
