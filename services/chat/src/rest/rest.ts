import type { App } from '@latchkey/frame/app-type'
import type { ActionParts } from '../actions/action.ts'
import { ban } from '../actions/ban.ts'
import { bans } from '../actions/bans.ts'
import { closeRoom } from '../actions/close-room.ts'
import { createRoom } from '../actions/create-room.ts'
import { deleteMessage } from '../actions/delete-message.ts'
import { getRoom } from '../actions/get-room.ts'
import { history } from '../actions/history.ts'
import { invite } from '../actions/invite.ts'
import { join } from '../actions/join.ts'
import { kick } from '../actions/kick.ts'
import { leave } from '../actions/leave.ts'
import { listRooms } from '../actions/list-rooms.ts'
import { members } from '../actions/members.ts'
import { renameRoom } from '../actions/rename-room.ts'
import { send } from '../actions/send.ts'
import { setRole } from '../actions/set-role.ts'
import { unban } from '../actions/unban.ts'
import { route } from './route.ts'

/** The REST API: one line per action. */
export function rest(app: App, parts: ActionParts): void {
  const room = '/rooms/:room'
  const member = `${room}/members/:user_id`

  route(app, createRoom, parts, { method: 'POST', url: '/rooms', status: 201, tag: 'rooms' })
  route(app, listRooms, parts, { method: 'GET', url: '/rooms', status: 200, tag: 'rooms' })
  route(app, getRoom, parts, { method: 'GET', url: room, status: 200, tag: 'rooms' })
  route(app, renameRoom, parts, { method: 'PUT', url: room, status: 200, tag: 'rooms' })
  route(app, closeRoom, parts, { method: 'DELETE', url: room, status: 204, tag: 'rooms' })

  route(app, join, parts, { method: 'POST', url: `${room}/join`, status: 200, tag: 'members' })
  route(app, leave, parts, { method: 'POST', url: `${room}/leave`, status: 204, tag: 'members' })
  route(app, invite, parts, { method: 'POST', url: `${room}/invites`, status: 201, tag: 'members' })
  route(app, members, parts, { method: 'GET', url: `${room}/members`, status: 200, tag: 'members' })
  route(app, setRole, parts, { method: 'PUT', url: member, status: 200, tag: 'members' })
  route(app, kick, parts, { method: 'DELETE', url: member, status: 204, tag: 'members' })
  route(app, bans, parts, { method: 'GET', url: `${room}/bans`, status: 200, tag: 'members' })
  route(app, ban, parts, { method: 'PUT', url: `${room}/bans/:user_id`, status: 204, tag: 'members' })
  route(app, unban, parts, { method: 'DELETE', url: `${room}/bans/:user_id`, status: 204, tag: 'members' })

  route(app, send, parts, {
    method: 'POST',
    url: `${room}/messages`,
    status: 201,
    statusOf: (output) => ((output as { repeated: boolean }).repeated ? 200 : 201),
    tag: 'messages'
  })
  route(app, history, parts, { method: 'GET', url: `${room}/messages`, status: 200, tag: 'messages' })
  route(app, deleteMessage, parts, { method: 'DELETE', url: `${room}/messages/:seq`, status: 204, tag: 'messages' })
}
