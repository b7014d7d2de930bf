import { Type } from 'typebox'
import type { Definition } from './definition.ts'
import { OF_SESSION } from './fields.ts'

// What users do in the rooms of the chat, and what happens to sockets. The log of a room keeps its messages.

const ROOM = Type.String({ description: 'The id of the room' })
const IN_ROOM = { ...OF_SESSION, room: ROOM }
const ON_MEMBER = { ...IN_ROOM, member: Type.String({ description: 'The id of the user to whom it was done' }) }
const AUDIT = { actor: 'user', target: 'room' } as const
const ABOUT_MEMBER = { ...AUDIT, detail: ['member'] } as const

/** The events of the chat. */
export const CHAT_EVENTS = {
  socket_opened: {
    level: 'info',
    message: 'socket opened',
    fields: Type.Object(OF_SESSION),
    audit: { actor: 'user' }
  },
  socket_closed: {
    level: 'info',
    message: 'socket closed',
    fields: Type.Object({
      user: Type.Optional(OF_SESSION.user),
      session: Type.Optional(OF_SESSION.session),
      code: Type.Integer({ description: 'The close code (RFC 6455 §7.4)' }),
      ms: Type.Integer({ description: 'How long it was open, in milliseconds' })
    }),
    audit: { actor: 'user' }
  },
  room_created: { level: 'info', message: 'a room was made', fields: Type.Object(IN_ROOM), audit: AUDIT },
  room_renamed: { level: 'info', message: 'a room was renamed', fields: Type.Object(IN_ROOM), audit: AUDIT },
  room_closed: { level: 'info', message: 'a room was closed', fields: Type.Object(IN_ROOM), audit: AUDIT },
  room_joined: { level: 'info', message: 'joined a room', fields: Type.Object(IN_ROOM), audit: AUDIT },
  room_left: { level: 'info', message: 'left a room', fields: Type.Object(IN_ROOM), audit: AUDIT },
  room_invitation: { level: 'info', message: 'made an invitation', fields: Type.Object(IN_ROOM), audit: AUDIT },
  member_kicked: { level: 'info', message: 'kicked', fields: Type.Object(ON_MEMBER), audit: ABOUT_MEMBER },
  member_banned: { level: 'info', message: 'banned', fields: Type.Object(ON_MEMBER), audit: ABOUT_MEMBER },
  member_unbanned: { level: 'info', message: 'ban lifted', fields: Type.Object(ON_MEMBER), audit: ABOUT_MEMBER },
  member_role: {
    level: 'info',
    message: 'role in a room set',
    fields: Type.Object({ ...ON_MEMBER, role: Type.String({ description: 'owner, moderator or member' }) }),
    audit: { ...AUDIT, detail: ['member', 'role'] }
  },
  message_deleted: {
    level: 'info',
    message: 'message deleted',
    fields: Type.Object({ ...IN_ROOM, seq: Type.Integer({ description: 'The number of the message in its room' }) }),
    audit: { ...AUDIT, detail: ['seq'] }
  },
  messages_committed: {
    level: 'none',
    message: 'messages of a room were committed by one statement',
    fields: Type.Object({ messages: Type.Integer() })
  },
  events_delivered: {
    level: 'none',
    message: 'events were written to a socket that keeps up',
    fields: Type.Object({
      age: Type.Number({ description: "Seconds since the commit of the first one, by the database's clock" })
    })
  }
} as const satisfies Record<string, Definition>
