import type { Queryable } from '@latchkey/database/pool'
import { canonicalId } from '@latchkey/frame/ids'
import type { ProblemCode } from '@latchkey/problems/codes'
import { Problem } from '@latchkey/problems/problem'
import { findRoom, type Room } from '../rooms/rooms.ts'
import { decide, type Role, type Rule } from '../rules.ts'
import type { Caller } from './action.ts'

/** Refuses as the rules decide. */
export function refusal(code: ProblemCode): Problem {
  return new Problem(code, code === 'not_found' ? { detail: 'There is no such room, or you may not see it.' } : {})
}

/** Throws what the rules answer to somebody who may not do this in a room. */
export function requireRule(rule: Rule, room: Room, caller: Caller, target?: Role): void {
  const answer = decide(rule, {
    role: room.role ?? undefined,
    isPublic: room.visibility === 'public',
    isClosed: room.closed,
    isBanned: room.is_banned,
    isAdmin: caller.isAdmin,
    target
  })
  if (answer !== 'yes') throw refusal(answer)
}

/** Reads a room for somebody who may do this in it. Throws the refusal. */
export async function roomFor(rule: Rule, database: Queryable, caller: Caller, id: string): Promise<Room> {
  const room = await findRoom(database, canonicalId(id), caller.user_id)
  if (!room) throw refusal('not_found')
  requireRule(rule, room, caller)
  return room
}
