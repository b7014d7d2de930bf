import { canonicalId } from '@latchkey/frame/ids'
import { Type } from 'typebox'
import { DEFAULT_LIMIT, LIMIT, ROLE, ROOM_ID, USER_ID } from '../fields.ts'
import { membersOf } from '../rooms/members.ts'
import { action } from './action.ts'
import { NEXT, pageOf } from './page.ts'
import { roomFor } from './standing.ts'

/** A member as answers show them. */
export const MEMBER = Type.Object(
  { user_id: Type.String({ format: 'uuid' }), username: Type.String(), role: ROLE },
  { title: 'Member' }
)

/** `members`: who is in a room. */
export const members = action({
  name: 'members',
  summary: 'List the members of a room, in the order of their ids',
  input: Type.Object(
    { room: ROOM_ID, after: Type.Optional(USER_ID), limit: Type.Optional(LIMIT) },
    { additionalProperties: false }
  ),
  output: Type.Object(
    {
      members: Type.Array(MEMBER),
      next: NEXT
    },
    { title: 'MemberPage' }
  ),
  problems: ['not_found', 'not_a_member'],
  async run({ database }, caller, { room, after, limit = DEFAULT_LIMIT }) {
    const { id } = await roomFor('read', database, caller, room)
    const page = { room: id, after: after ? canonicalId(after) : null, limit: limit + 1 }
    const { entries, last } = pageOf(await membersOf(database, page), limit)
    return { members: entries, next: last?.user_id ?? null }
  }
})
