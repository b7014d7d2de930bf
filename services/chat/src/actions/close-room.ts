import { Type } from 'typebox'
import { ROOM_ID } from '../fields.ts'
import { endRoom } from '../rooms/rooms.ts'
import { action, DONE } from './action.ts'
import { changeRoom } from './writing.ts'

/** `close_room`: ends a room for good; its members may still read it. */
export const closeRoom = action({
  name: 'close_room',
  summary: 'Close a room for good; its members may still read it',
  input: Type.Object({ room: ROOM_ID }, { additionalProperties: false }),
  output: DONE,
  problems: ['not_found', 'not_a_member', 'insufficient_role', 'room_closed', 'too_many_requests'],
  run(parts, caller, { room: id }) {
    return changeRoom(parts, caller, { room: id, rule: 'close' }, async ({ connection, room, write }) => {
      await endRoom(connection, room.id)
      await write({ kind: 'closed' })
      return {}
    })
  }
})
