import { Problem } from '@latchkey/problems/problem'
import { Type } from 'typebox'
import { ROOM_ID, USER_ID } from '../fields.ts'
import { removeMember } from '../rooms/members.ts'
import { action, DONE } from './action.ts'
import { anotherUser, NO_SUCH_MEMBER } from './target.ts'
import { changeRoom } from './writing.ts'

/** `kick`: ends the membership of somebody else, who may join again. */
export const kick = action({
  name: 'kick',
  summary: 'Remove a member, who may join again',
  input: Type.Object({ room: ROOM_ID, user_id: USER_ID }, { additionalProperties: false }),
  output: DONE,
  problems: ['not_found', 'not_a_member', 'insufficient_role', 'room_closed', 'too_many_requests'],
  async run(parts, caller, { room: id, user_id }) {
    const wish = { room: id, rule: 'kick', target: anotherUser(user_id, caller) } as const
    return changeRoom(parts, caller, wish, async ({ connection, room, target, write }) => {
      if (!target) throw new Problem('not_found', { detail: NO_SUCH_MEMBER })
      await removeMember(connection, room.id, target.user_id)
      await write({ kind: 'kicked', target: { user_id: target.user_id, username: target.username } })
      return {}
    })
  }
})
