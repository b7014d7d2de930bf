/** @typedef {import('../protocol.js').Role} Role */

/**
 * What somebody may do in an open room, so that the page offers no more. The service decides anew, by the same table:
 * rules.ts.
 *
 * @typedef {'send' | 'delete_own' | 'delete_other' | 'invite' | 'kick' | 'ban' | 'unban' | 'set_role' | 'rename' | 'close' | 'leave'} Right
 */

/** @type {Readonly<Record<Right, readonly (Role | 'admin')[]>>} */
const TABLE = {
  send: ['member', 'moderator', 'owner'],
  leave: ['member', 'moderator', 'owner'],
  delete_own: ['member', 'moderator', 'owner', 'admin'],
  delete_other: ['moderator', 'owner', 'admin'],
  invite: ['moderator', 'owner', 'admin'],
  kick: ['moderator', 'owner', 'admin'],
  ban: ['moderator', 'owner', 'admin'],
  unban: ['moderator', 'owner', 'admin'],
  set_role: ['owner', 'admin'],
  rename: ['owner', 'admin'],
  close: ['owner', 'admin']
}

/** Whom a role may remove; everybody who may remove may also ban somebody who is no member. */
const REMOVES = { owner: ['moderator', 'member'], moderator: ['member'], member: [] }

/**
 * @param {Right} right
 * @param {{ role: Role | null, isAdmin: boolean, isClosed: boolean, target?: Role | undefined }} standing `target`: the role of
 *   whom it is done to
 */
export function mayDo(right, { role, isAdmin, isClosed, target }) {
  if (isClosed) return false
  const allowed = TABLE[right]
  if (isAdmin && allowed.includes('admin')) return true
  if (role === null || !allowed.includes(role)) return false
  if (right !== 'kick' && right !== 'ban') return true
  return target === undefined || /** @type {readonly string[]} */ (REMOVES[role]).includes(target)
}
