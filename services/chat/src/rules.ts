import type { ProblemCode } from '@latchkey/problems/codes'

/** What a member may be in a room. */
export const ROLES = ['owner', 'moderator', 'member'] as const

/** A role in a room. It has nothing to do with the roles of the token. */
export type Role = (typeof ROLES)[number]

/** The answer for somebody who may do it, or the code for somebody who may not. */
type Answer = 'yes' | Extract<ProblemCode, 'not_found' | 'not_a_member' | 'insufficient_role'>

type Column = 'public' | 'private' | Role | 'admin'

const members = (answer: Answer) => ({ member: answer, moderator: answer, owner: answer })
const outsiders = { public: 'not_a_member', private: 'not_found' } as const
const moderators = { ...outsiders, member: 'insufficient_role', moderator: 'yes', owner: 'yes', admin: 'yes' } as const
const owners = { ...moderators, moderator: 'insufficient_role' } as const

/**
 * Who may do what, in a room that is open: outsiders of a public and of a private room, members by their role, and
 * administrators by the role `admin` of their token, member or not.
 */
const TABLE = {
  see: { public: 'yes', private: 'not_found', ...members('yes'), admin: 'yes' },
  join: { public: 'yes', private: 'not_found', ...members('yes'), admin: 'yes' },
  read: { ...outsiders, ...members('yes'), admin: 'yes' },
  send: { ...outsiders, ...members('yes'), admin: 'not_a_member' },
  leave: { ...outsiders, ...members('yes'), admin: 'not_a_member' },
  delete_own: { ...outsiders, ...members('yes'), admin: 'yes' },
  delete_other: moderators,
  invite: moderators,
  kick: moderators,
  ban: moderators,
  unban: moderators,
  bans: moderators,
  set_role: owners,
  rename: owners,
  close: owners
} as const satisfies Record<string, Record<Column, Answer>>

/** What can be done in a room, as far as rights differ. */
export type Rule = keyof typeof TABLE

/** What a closed room allows still. */
const READS: readonly Rule[] = ['see', 'read', 'bans']

/** Whom a role may remove. */
const MAY_REMOVE: Record<Role, readonly Role[]> = { owner: ['moderator', 'member'], moderator: ['member'], member: [] }

/** What decides: the caller, the room, and, where somebody is removed, the role of that other. */
export interface Standing {
  /** The role in the room; none: an outsider. */
  readonly role?: Role | undefined
  readonly isPublic: boolean
  readonly isClosed: boolean
  readonly isBanned: boolean
  /** The token has the role `admin`. */
  readonly isAdmin: boolean
  /** The role of whom it is done to; none: an outsider. */
  readonly target?: Role | undefined
}

/** Decides whether somebody may do this: `yes`, or the error code of the answer. */
export function decide(rule: Rule, standing: Standing): 'yes' | ProblemCode {
  const { role, isPublic, isAdmin, isBanned, isClosed, target } = standing
  if (rule === 'join') {
    if (role !== undefined) return 'yes'
    if (isBanned) return 'banned'
  }
  const own = TABLE[rule][role ?? (isPublic ? 'public' : 'private')]
  const answer = own !== 'yes' && isAdmin ? TABLE[rule].admin : own
  if (answer !== 'yes') return answer
  if ((rule === 'kick' || rule === 'ban') && !isAdmin && !mayRemove(role, target)) return 'insufficient_role'
  return isClosed && !READS.includes(rule) ? 'room_closed' : 'yes'
}

function mayRemove(role: Role | undefined, target: Role | undefined): boolean {
  return role !== undefined && (target === undefined || MAY_REMOVE[role].includes(target))
}

/** The roles that may do this in an open room, for statements that judge by themselves. */
export function rolesThatMay(rule: Rule): Role[] {
  return ROLES.filter((role) => TABLE[rule][role] === 'yes')
}
