import { type Static, Type } from 'typebox'
import { ROLE, VISIBILITY } from '../fields.ts'
import type { Room } from '../rooms/rooms.ts'

/** A room as answers show it. */
export const ROOM = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    name: Type.String(),
    visibility: VISIBILITY,
    created_at: Type.String({ format: 'date-time' }),
    closed: Type.Boolean(),
    head: Type.Integer({ description: 'The number of its last event.' }),
    role: Type.Union([ROLE, Type.Null()], { description: 'Yours; null if you are no member.' })
  },
  { title: 'Room' }
)

/** Makes the view of a room for the user that it was read for. */
export function roomView({ id, name, visibility, created_at, closed, last_seq, role }: Room): Static<typeof ROOM> {
  return { id, name, visibility, created_at: created_at.toISOString(), closed, head: last_seq, role }
}
