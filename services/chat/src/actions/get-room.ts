import { Type } from 'typebox'
import { ROOM_ID } from '../fields.ts'
import { action } from './action.ts'
import { ROOM, roomView } from './room-view.ts'
import { roomFor } from './standing.ts'

/** `get_room`: a room that the caller may see. */
export const getRoom = action({
  name: 'get_room',
  summary: 'Read a room',
  input: Type.Object({ room: ROOM_ID }, { additionalProperties: false }),
  output: ROOM,
  problems: ['not_found'],
  async run({ database }, caller, { room }) {
    return roomView(await roomFor('see', database, caller, room))
  }
})
