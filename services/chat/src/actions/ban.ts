import { Type } from 'typebox'
import { nameOf } from '../events/log.ts'
import { ROOM_ID, USER_ID } from '../fields.ts'
import { insertBan, isBanned, removeMember } from '../rooms/members.ts'
import { action, DONE } from './action.ts'
import { anotherUser } from './target.ts'
import { changeRoom } from './writing.ts'

/** `ban`: keeps somebody out of a room, member or not. */
export const ban = action({
  name: 'ban',
  summary: 'Ban a user from a room, member or not',
  input: Type.Object({ room: ROOM_ID, user_id: USER_ID }, { additionalProperties: false }),
  output: DONE,
  problems: ['not_found', 'not_a_member', 'insufficient_role', 'room_closed', 'too_many_requests'],
  async run(parts, caller, { room: id, user_id }) {
    const user = anotherUser(user_id, caller)
    const wish = { room: id, rule: 'ban', target: user } as const
    return changeRoom(parts, caller, wish, async ({ connection, room, target, write }) => {
      if (await isBanned(connection, room.id, user)) return {}
      if (target) await removeMember(connection, room.id, user)
      const username = target?.username ?? (await nameOf(connection, room.id, user)) ?? null
      await insertBan(connection, room.id, { user_id: user, username, by_id: caller.user_id })
      await write({ kind: 'banned', target: { user_id: user, username } })
      return {}
    })
  }
})
