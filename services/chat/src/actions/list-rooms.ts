import { canonicalId } from '@latchkey/frame/ids'
import { Type } from 'typebox'
import { DEFAULT_LIMIT, LIMIT, ROOM_ID } from '../fields.ts'
import { publicRooms, roomsOfUser } from '../rooms/rooms.ts'
import { action } from './action.ts'
import { NEXT, pageOf } from './page.ts'
import { ROOM, roomView } from './room-view.ts'

/** `list_rooms`: the caller's rooms, or those that anybody may join, in the order of their names. */
export const listRooms = action({
  name: 'list_rooms',
  summary: 'List your rooms, or the public ones, in the order of their names',
  input: Type.Object(
    {
      scope: Type.Optional(Type.Enum(['mine', 'public'], { description: 'mine or public; without it, mine' })),
      after: Type.Optional(ROOM_ID),
      limit: Type.Optional(LIMIT)
    },
    { additionalProperties: false }
  ),
  output: Type.Object(
    {
      rooms: Type.Array(ROOM),
      next: NEXT
    },
    { title: 'RoomPage' }
  ),
  problems: [],
  async run({ database }, { user_id }, { scope = 'mine', after, limit = DEFAULT_LIMIT }) {
    const read = scope === 'mine' ? roomsOfUser : publicRooms
    const found = await read(database, { user: user_id, after: after ? canonicalId(after) : null, limit: limit + 1 })
    const { entries, last } = pageOf(found, limit)
    return { rooms: entries.map(roomView), next: last?.id ?? null }
  }
})
