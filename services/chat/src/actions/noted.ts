import type { Note } from '@latchkey/audit/acting'
import type { NewEvent } from '../events/event.ts'
import type { Caller } from './action.ts'

/** Notes an event of a room for the log and the audit log. */
export function noteEvent(note: Note, { user_id: user, session }: Caller, room: string, event: NewEvent): void {
  const own = { user, session, room }
  switch (event.kind) {
    case 'created':
      note('room_created', own)
      break
    case 'joined':
      note('room_joined', own)
      break
    case 'left':
      note('room_left', own)
      break
    case 'closed':
      note('room_closed', own)
      break
    case 'renamed':
      note('room_renamed', own)
      break
    case 'deleted':
      note('message_deleted', { ...own, seq: event.target_seq })
      break
    case 'kicked':
      note('member_kicked', { ...own, member: event.target.user_id })
      break
    case 'banned':
      note('member_banned', { ...own, member: event.target.user_id })
      break
    case 'unbanned':
      note('member_unbanned', { ...own, member: event.target.user_id })
      break
    case 'role':
      note('member_role', { ...own, member: event.target.user_id, role: event.role })
      break
  }
}
