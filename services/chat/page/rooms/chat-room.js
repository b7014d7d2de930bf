import { RoomLog } from './room-log.js'

/** @typedef {import('../protocol.js').Member} Member */
/** @typedef {import('../protocol.js').Room} Room */
/** @typedef {import('../protocol.js').RoomEvent} RoomEvent */

/** A room as the page knows it. */
export class ChatRoom {
  log = new RoomLog()
  /** Those that were read or have shown themselves, by id. @type {Map<string, Member>} */
  members = new Map()
  /** `after` of the next page of members; null: all were read; undefined: none. @type {string | null | undefined} */
  moreMembers
  /** Who was banned while the page looked on. @type {Set<string>} */
  banned = new Set()
  unread = 0
  /** What was typed and not sent. */
  draft = ''
  /** Whether its events come: `behind` until they have met the present. @type {'none' | 'behind' | 'live'} */
  watch = 'none'
  /** Why it is ours no longer. @type {{ kind: 'kicked' | 'banned' | 'left' | 'lost', by?: string } | null} */
  gone = null

  /** @param {Room} room */
  constructor(room) {
    this.id = room.id
    this.name = room.name
    this.visibility = room.visibility
    this.isClosed = room.closed
    this.role = room.role
  }

  /** @param {Room} room as it was read anew */
  update({ name, visibility, closed, role }) {
    Object.assign(this, { name, visibility, isClosed: closed, role })
    if (role !== null) this.gone = null
  }

  /**
   * Takes the consequences of an event.
   *
   * @param {RoomEvent} event
   * @param {string} me
   */
  apply(event, me) {
    CONSEQUENCES[event.kind]?.(this, event, me)
  }

  /**
   * @param {string} user
   * @param {string} me
   * @param {NonNullable<ChatRoom['gone']>} gone
   */
  remove(user, me, gone) {
    this.members.delete(user)
    if (user === me) Object.assign(this, { role: null, gone })
  }
}

/** @type {Readonly<Record<string, (room: ChatRoom, event: RoomEvent, me: string) => void>>} */
const CONSEQUENCES = {
  created: (room, { actor }) => void room.members.set(actor.user_id, { ...actor, role: 'owner' }),
  joined: (room, { actor }, me) => {
    room.members.set(actor.user_id, { ...actor, role: 'member' })
    if (actor.user_id === me) Object.assign(room, { role: room.role ?? 'member', gone: null })
  },
  left: (room, { actor }, me) => room.remove(actor.user_id, me, { kind: 'left' }),
  kicked: (room, { actor, target }, me) => {
    if (target) room.remove(target.user_id, me, { kind: 'kicked', by: actor.username })
  },
  banned: (room, { actor, target }, me) => {
    if (!target) return
    room.remove(target.user_id, me, { kind: 'banned', by: actor.username })
    room.banned.add(target.user_id)
  },
  unbanned: (room, { target }) => void room.banned.delete(target?.user_id ?? ''),
  role: (room, { target, role }, me) => {
    if (!target || !role) return
    room.members.set(target.user_id, { user_id: target.user_id, username: target.username ?? '', role })
    if (target.user_id === me) room.role = role
  },
  renamed: (room, { name }) => {
    room.name = name ?? room.name
  },
  closed: (room) => {
    room.isClosed = true
  }
}
