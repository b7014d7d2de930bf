import { transact } from '@latchkey/audit/acting'
import { Problem } from '@latchkey/problems/problem'
import { Type } from 'typebox'
import { appendEvent } from '../events/append.ts'
import { ROOM_NAME, VISIBILITY } from '../fields.ts'
import { insertMember } from '../rooms/members.ts'
import { countRooms, findRoom, insertRoom, type Room } from '../rooms/rooms.ts'
import { action, requireTurn } from './action.ts'
import { requirePlace } from './join.ts'
import { noteEvent } from './noted.ts'
import { ROOM, roomView } from './room-view.ts'

/** Most open rooms that a user may have made. */
const MOST_MADE = 100

/** `create_room`: makes a room, with the caller as its owner. */
export const createRoom = action({
  name: 'create_room',
  summary: 'Make a room; its maker owns it',
  input: Type.Object({ name: ROOM_NAME, visibility: VISIBILITY }, { additionalProperties: false }),
  output: ROOM,
  problems: ['limit_reached', 'too_many_requests'],
  async run({ database, committed, changes }, caller, { name, visibility }) {
    requireTurn(changes, caller)
    const { user_id, username } = caller
    const { room, created } = await transact({ database, ...caller.origin }, async (connection, note) => {
      const counts = await countRooms(connection, user_id)
      if (counts.made >= MOST_MADE)
        throw new Problem('limit_reached', { detail: `You have made ${MOST_MADE} rooms. Close one first.` })
      requirePlace(counts)
      const id = await insertRoom(connection, { name, visibility, user: user_id })
      const created = await appendEvent(connection, id, { user_id, username }, { kind: 'created' })
      noteEvent(note, caller, id, { kind: 'created' })
      await insertMember(connection, id, { user_id, username, role: 'owner' }, created.seq)
      return { room: (await findRoom(connection, id, user_id)) as Room, created }
    })
    committed(room.id, [created])
    return roomView(room)
  }
})
