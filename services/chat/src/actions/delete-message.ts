import { Problem } from '@latchkey/problems/problem'
import { Type } from 'typebox'
import { eraseMessage, findMessage } from '../events/log.ts'
import { ROOM_ID, SEQ } from '../fields.ts'
import { action, DONE } from './action.ts'
import { requireRule } from './standing.ts'
import { changeRoom } from './writing.ts'

/** `delete`: takes the text of a message away; that there was one stays. */
export const deleteMessage = action({
  name: 'delete',
  summary: 'Delete a message: its text is gone, its place stays',
  input: Type.Object({ room: ROOM_ID, seq: Type.Integer({ ...SEQ, examples: [1] }) }, { additionalProperties: false }),
  output: DONE,
  problems: ['not_found', 'not_a_member', 'insufficient_role', 'room_closed', 'too_many_requests'],
  run(parts, caller, { room: id, seq }) {
    return changeRoom(parts, caller, { room: id }, async ({ connection, room, write }) => {
      const message = await findMessage(connection, room.id, seq)
      const isAnothers = message !== undefined && message.actor_id !== caller.user_id
      requireRule(isAnothers && room.role !== null ? 'delete_other' : 'delete_own', room, caller)
      if (!message) throw new Problem('not_found', { detail: 'There is no such message in this room.' })
      if (message.is_deleted) return {}
      await eraseMessage(connection, room.id, seq, caller.user_id)
      await write({ kind: 'deleted', target_seq: seq })
      return {}
    })
  }
})
