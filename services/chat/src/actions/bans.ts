import { canonicalId } from '@latchkey/frame/ids'
import { Type } from 'typebox'
import { DEFAULT_LIMIT, LIMIT, ROOM_ID, USER_ID } from '../fields.ts'
import { bansOf } from '../rooms/members.ts'
import { action } from './action.ts'
import { NEXT, pageOf } from './page.ts'
import { roomFor } from './standing.ts'

/** A ban as answers show it. */
const BAN = Type.Object(
  {
    user_id: Type.String({ format: 'uuid' }),
    username: Type.Union([Type.String(), Type.Null()], {
      description: 'the name that they had in the room; null if they never showed one'
    }),
    by_id: Type.String({ format: 'uuid', description: 'who banned them' }),
    created_at: Type.String({ format: 'date-time' })
  },
  { title: 'Ban' }
)

/** `bans`: who may not join a room, for those who may lift it. */
export const bans = action({
  name: 'bans',
  summary: 'List who is banned from a room, in the order of their ids',
  input: Type.Object(
    { room: ROOM_ID, after: Type.Optional(USER_ID), limit: Type.Optional(LIMIT) },
    { additionalProperties: false }
  ),
  output: Type.Object(
    {
      bans: Type.Array(BAN),
      next: NEXT
    },
    { title: 'BanPage' }
  ),
  problems: ['not_found', 'not_a_member', 'insufficient_role'],
  async run({ database }, caller, { room, after, limit = DEFAULT_LIMIT }) {
    const { id } = await roomFor('bans', database, caller, room)
    const page = { room: id, after: after ? canonicalId(after) : null, limit: limit + 1 }
    const { entries, last } = pageOf(await bansOf(database, page), limit)
    const shown = entries.map((ban) => ({ ...ban, created_at: ban.created_at.toISOString() }))
    return { bans: shown, next: last?.user_id ?? null }
  }
})
