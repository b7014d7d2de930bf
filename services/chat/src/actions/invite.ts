import { Type } from 'typebox'
import { ROOM_ID } from '../fields.ts'
import { INVITE_LIFE, insertInvite } from '../rooms/invites.ts'
import { action } from './action.ts'
import { changeRoom } from './writing.ts'

/** `invite`: makes a code by which others join; it is good many times. */
export const invite = action({
  name: 'invite',
  summary: 'Make a code by which others join a room, for seven days',
  input: Type.Object({ room: ROOM_ID }, { additionalProperties: false }),
  output: Type.Object(
    { code: Type.String(), expires_in: Type.Integer({ description: 'seconds' }) },
    { title: 'Invitation' }
  ),
  problems: ['not_found', 'not_a_member', 'insufficient_role', 'room_closed', 'too_many_requests'],
  run(parts, caller, { room: id }) {
    return changeRoom(parts, caller, { room: id, rule: 'invite' }, async ({ connection, room, note }) => {
      const byAdmin = caller.isAdmin && room.role === null
      const code = await insertInvite(connection, { room: room.id, user: caller.user_id, byAdmin })
      note('room_invitation', { user: caller.user_id, session: caller.session, room: room.id })
      return { code, expires_in: INVITE_LIFE }
    })
  }
})
