import { canonicalId } from '@latchkey/frame/ids'
import { Problem } from '@latchkey/problems/problem'
import { Type } from 'typebox'
import { ROLE, ROOM_ID, USER_ID } from '../fields.ts'
import { changeRole, countMembers } from '../rooms/members.ts'
import { action } from './action.ts'
import { MEMBER } from './members.ts'
import { NO_SUCH_MEMBER } from './target.ts'
import { changeRoom } from './writing.ts'

/** `set_role`: makes a member an owner, a moderator, or a plain member. */
export const setRole = action({
  name: 'set_role',
  summary: 'Change the role of a member',
  input: Type.Object({ room: ROOM_ID, user_id: USER_ID, role: ROLE }, { additionalProperties: false }),
  output: MEMBER,
  problems: ['not_found', 'not_a_member', 'insufficient_role', 'room_closed', 'last_owner', 'too_many_requests'],
  run(parts, caller, { room: id, user_id, role }) {
    const wish = { room: id, rule: 'set_role', target: canonicalId(user_id) } as const
    return changeRoom(parts, caller, wish, async ({ connection, room, target, write }) => {
      if (!target) throw new Problem('not_found', { detail: NO_SUCH_MEMBER })
      if (target.role === role) return target
      if (target.role === 'owner') {
        const { members, owners } = await countMembers(connection, room.id)
        if (owners === 1 && members > 1) throw new Problem('last_owner')
      }
      await changeRole(connection, room.id, target.user_id, role)
      const { user_id, username } = target
      await write({ kind: 'role', target: { user_id, username }, role })
      return { ...target, role }
    })
  }
})
