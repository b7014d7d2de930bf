import type { AnyAction } from './action.ts'
import { ban } from './ban.ts'
import { bans } from './bans.ts'
import { closeRoom } from './close-room.ts'
import { createRoom } from './create-room.ts'
import { deleteMessage } from './delete-message.ts'
import { getRoom } from './get-room.ts'
import { history } from './history.ts'
import { invite } from './invite.ts'
import { join } from './join.ts'
import { kick } from './kick.ts'
import { leave } from './leave.ts'
import { listRooms } from './list-rooms.ts'
import { members } from './members.ts'
import { renameRoom } from './rename-room.ts'
import { send } from './send.ts'
import { setRole } from './set-role.ts'
import { unban } from './unban.ts'

/** Everything that a user can do, once; the faces translate each of these. */
export const ACTIONS: readonly AnyAction[] = [
  createRoom,
  listRooms,
  getRoom,
  renameRoom,
  closeRoom,
  join,
  leave,
  invite,
  members,
  setRole,
  kick,
  ban,
  unban,
  bans,
  send,
  history,
  deleteMessage
]
