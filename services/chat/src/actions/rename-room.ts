import { Type } from 'typebox'
import { ROOM_ID, ROOM_NAME } from '../fields.ts'
import { renameRoom as writeName } from '../rooms/rooms.ts'
import { action } from './action.ts'
import { ROOM, roomView } from './room-view.ts'
import { changeRoom } from './writing.ts'

/** `rename_room`: gives a room another name. */
export const renameRoom = action({
  name: 'rename_room',
  summary: 'Rename a room',
  input: Type.Object({ room: ROOM_ID, name: ROOM_NAME }, { additionalProperties: false }),
  output: ROOM,
  problems: ['not_found', 'not_a_member', 'insufficient_role', 'room_closed', 'too_many_requests'],
  run(parts, caller, { room: id, name }) {
    return changeRoom(parts, caller, { room: id, rule: 'rename' }, async ({ connection, room, write }) => {
      if (room.name === name) return roomView(room)
      await writeName(connection, room.id, name)
      const { seq } = await write({ kind: 'renamed', name })
      return roomView({ ...room, name, last_seq: seq })
    })
  }
})
