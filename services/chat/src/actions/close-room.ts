import { Type } from 'typebox'
import { ROOM_ID } from '../fields.ts'
import { action, DONE } from './action.ts'
import { changeRoom } from './writing.ts'

/** `close_room`: ends a room for good; its members may still read it. */
export const closeRoom = action({
  name: 'close_room',
  summary: 'Close a room for good; its members may still read it',
  input: Type.Object({ room: ROOM_ID }, { additionalProperties: false }),
  output: DONE,
  problems: ['not_found', 'not_a_member', 'insufficient_role', 'room_closed'],
  run(parts, caller, { room }) {
    return changeRoom(parts, caller, { room, rule: 'close' }, async ({ write }) => {
      await write({ kind: 'closed' })
      return {}
    })
  }
})
