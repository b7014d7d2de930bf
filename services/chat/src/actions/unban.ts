import { canonicalId } from '@latchkey/frame/ids'
import { Type } from 'typebox'
import { ROOM_ID, USER_ID } from '../fields.ts'
import { isBanned, removeBan } from '../rooms/members.ts'
import { action, DONE } from './action.ts'
import { changeRoom } from './writing.ts'

/** `unban`: lets somebody join again. Who is not banned stays as they are. */
export const unban = action({
  name: 'unban',
  summary: 'Lift a ban',
  input: Type.Object({ room: ROOM_ID, user_id: USER_ID }, { additionalProperties: false }),
  output: DONE,
  problems: ['not_found', 'not_a_member', 'insufficient_role', 'room_closed', 'too_many_requests'],
  run(parts, caller, { room: id, user_id }) {
    const user = canonicalId(user_id)
    return changeRoom(parts, caller, { room: id, rule: 'unban', target: user }, async ({ connection, room, write }) => {
      if (!(await isBanned(connection, room.id, user))) return {}
      await removeBan(connection, room.id, user)
      await write({ kind: 'unbanned', target: { user_id: user, username: null } })
      return {}
    })
  }
})
