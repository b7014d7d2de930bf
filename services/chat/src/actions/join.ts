import { Problem } from '@latchkey/problems/problem'
import { Type } from 'typebox'
import { ROOM_ID } from '../fields.ts'
import { CODE_PATTERN, isInvited } from '../rooms/invites.ts'
import { insertMember } from '../rooms/members.ts'
import { countRooms, findRoom, type Room } from '../rooms/rooms.ts'
import { decide } from '../rules.ts'
import { action, type Caller } from './action.ts'
import { ROOM, roomView } from './room-view.ts'
import { refusal, requireRule } from './standing.ts'
import { type Change, changeRoom } from './writing.ts'

/** Most rooms that a user may be in. */
const MOST_JOINED = 1000

const CODE = Type.String({
  maxLength: 22,
  pattern: CODE_PATTERN,
  description: 'the code of an invitation',
  examples: ['AAAAAAAAAAAAAAAAAAAAAA']
})

/** `join`: makes the caller a member. Who is one already stays what they are. */
export const join = action({
  name: 'join',
  summary: 'Join a room, a private one with the code of an invitation',
  input: Type.Object({ room: ROOM_ID, code: Type.Optional(CODE) }, { additionalProperties: false }),
  output: ROOM,
  problems: ['not_found', 'invalid_code', 'banned', 'room_closed', 'limit_reached', 'too_many_requests'],
  run(parts, caller, { room, code }) {
    return changeRoom(parts, caller, { room }, async (change) => {
      const { connection, write } = change
      if (change.room.role !== null) return roomView(change.room)
      await requireEntry(change, caller, code)
      requirePlace(await countRooms(connection, caller.user_id))
      const { user_id, username } = caller
      const { seq } = await write({ kind: 'joined' })
      await insertMember(connection, change.room.id, { user_id, username, role: 'member' }, seq)
      return roomView((await findRoom(connection, change.room.id, user_id)) as Room)
    })
  }
})

/** Throws `limit_reached` if a user is in as many rooms as they may be. */
export function requirePlace({ joined }: { joined: number }): void {
  if (joined < MOST_JOINED) return
  throw new Problem('limit_reached', { detail: `You are in ${MOST_JOINED} rooms. Leave one first.` })
}

// A code opens what would else be hidden; it opens neither a ban nor a closed room.
async function requireEntry({ connection, room }: Change, caller: Caller, code: string | undefined): Promise<void> {
  const invited = { ...room, visibility: 'public' as const }
  const isHidden =
    decide('see', {
      role: undefined,
      isPublic: room.visibility === 'public',
      isClosed: false,
      isBanned: false,
      isAdmin: caller.isAdmin
    }) !== 'yes'
  if (!isHidden || room.is_banned) return requireRule('join', invited, caller)
  if (code === undefined) throw refusal('not_found')
  if (!(await isInvited(connection, room.id, code))) throw new Problem('invalid_code')
  requireRule('join', invited, caller)
}
