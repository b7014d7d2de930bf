import { Problem } from '@latchkey/problems/problem'
import { Type } from 'typebox'
import { ROOM_ID } from '../fields.ts'
import { countMembers, removeMember } from '../rooms/members.ts'
import { endRoom } from '../rooms/rooms.ts'
import { action, DONE } from './action.ts'
import { changeRoom } from './writing.ts'

/** `leave`: ends the membership of the caller. With its last member a room closes. */
export const leave = action({
  name: 'leave',
  summary: 'Leave a room; when the last member leaves, it closes',
  input: Type.Object({ room: ROOM_ID }, { additionalProperties: false }),
  output: DONE,
  problems: ['not_found', 'not_a_member', 'room_closed', 'last_owner', 'too_many_requests'],
  run(parts, caller, { room: id }) {
    return changeRoom(parts, caller, { room: id, rule: 'leave' }, async ({ connection, room, write }) => {
      const { members, owners } = await countMembers(connection, room.id)
      if (room.role === 'owner' && owners === 1 && members > 1) throw new Problem('last_owner')
      await removeMember(connection, room.id, caller.user_id)
      await write({ kind: 'left' })
      if (members === 1) {
        await endRoom(connection, room.id)
        await write({ kind: 'closed' })
      }
      return {}
    })
  }
})
