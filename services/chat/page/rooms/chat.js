import { roomOf } from '../protocol.js'
import { Signal } from '../signal.js'
import { ChatRoom } from './chat-room.js'
import { Outbox } from './outbox.js'
import { Watching } from './watching.js'

/** @typedef {import('../protocol.js').Hello} Hello */
/** @typedef {import('../protocol.js').Room} Room */
/** @typedef {import('../protocol.js').RoomEvent} RoomEvent */

/** Messages of a page of the history; members and rooms of a page of their lists. */
const PAGE = 50
const LONG_PAGE = 100

/** Most pages of rooms that are read: a user is in at most 1,000. */
const MOST_PAGES = 10

/** Entries that a room keeps once another one is looked at. */
const KEPT = 200

/** The rooms of the one who is signed in, and what the server says of them. */
export class Chat {
  /** @type {{ user_id: string, username: string, isAdmin: boolean } | null} */
  me = null
  textLength = 4000
  /** By id. @type {Map<string, ChatRoom>} */
  rooms = new Map()
  /** The room that is looked at. @type {ChatRoom | null} */
  current = null
  /** Whether the list of rooms was read. */
  isListed = false

  /** Names, unread messages, and which rooms there are. @type {Signal<void>} */
  listed = new Signal()
  /** What a room is, and what one may do in it. @type {Signal<ChatRoom>} */
  altered = new Signal()
  /** Events of a room; those of a catch-up are not live. @type {Signal<{ room: ChatRoom, fresh: RoomEvent[], isLive: boolean }>} */
  happened = new Signal()
  /** The entries of a room are others: read or forgotten. @type {Signal<ChatRoom>} */
  reread = new Signal()
  /** A room was opened, or left without another one. @type {Signal<ChatRoom | null>} */
  opened = new Signal()

  /** @param {import('../net/connection.js').Connection} connection */
  constructor(connection) {
    this.connection = connection
    this.outbox = new Outbox((type, members) => connection.request(type, members))
    this.watching = new Watching(this)
    connection.opened.on((hello) => this.#begin(hello).catch(() => {}))
  }

  /** Forgets everything of the one who was signed in. */
  clear() {
    this.me = null
    this.isListed = false
    this.rooms.clear()
    this.outbox.clear()
    this.open(null)
    this.listed.emit()
  }

  /** The rooms of the list: ours, and the one that is looked at. By name, closed ones last. */
  list() {
    return [...this.rooms.values()]
      .filter((room) => room.role !== null || room === this.current)
      .sort((a, b) => Number(a.isClosed) - Number(b.isClosed) || a.name.localeCompare(b.name))
  }

  /** @param {ChatRoom | null} room */
  open(room) {
    if (this.current && this.current !== room) this.current.log.trim(KEPT)
    this.current = room
    if (room) room.unread = 0
    this.opened.emit(room)
    this.listed.emit()
    if (room) this.#read(room).catch(() => {})
  }

  /**
   * The room with this id, read if need be.
   *
   * @param {string} id
   * @returns {Promise<ChatRoom>} Throws a Refusal
   */
  async find(id) {
    return this.rooms.get(id) ?? this.#ask('get_room', { room: id })
  }

  /** Reads what a room is anew. @param {ChatRoom} room */
  async renew(room) {
    await this.#ask('get_room', { room: room.id })
  }

  /** @param {{ name: string, visibility: string }} wish */
  async create(wish) {
    this.open(await this.#ask('create_room', wish))
  }

  /**
   * @param {string} id
   * @param {string} [code] of an invitation
   */
  async join(id, code) {
    this.open(await this.#ask('join', { room: id, ...(code !== undefined && { code }) }))
  }

  /** @param {ChatRoom} room */
  async readOlder(room) {
    const { older } = room.log
    const from = typeof older === 'number' ? { before: older } : {}
    const { messages, next_before } = await this.connection.request('history', { room: room.id, limit: PAGE, ...from })
    room.log.addHistory(messages, next_before)
    this.outbox.settle(room.id, room.log, this.me?.user_id ?? '')
    this.reread.emit(room)
  }

  /** Reads the next page of members. @param {ChatRoom} room */
  async readMembers(room) {
    const after = room.moreMembers ? { after: room.moreMembers } : {}
    if (room.moreMembers === undefined) room.members.clear()
    const { members, next } = await this.connection.request('members', { room: room.id, limit: LONG_PAGE, ...after })
    for (const member of members) room.members.set(member.user_id, member)
    room.moreMembers = next
    this.altered.emit(room)
  }

  /** @param {Hello} hello */
  async #begin({ user_id, username, roles, limits }) {
    if (this.me && this.me.user_id !== user_id) this.clear()
    this.me = { user_id, username, isAdmin: roles.includes('admin') }
    this.textLength = limits.text_length
    this.watching.begin(limits.rooms_per_socket)
    // What is looked at comes first.
    if (this.current) await this.#read(this.current)
    await this.#readRooms()
    this.outbox.flush()
    for (const room of this.list()) await this.watching.watch(room)
  }

  async #readRooms() {
    const found = new Set()
    let after
    for (let pages = 0; pages < MOST_PAGES && after !== null; pages += 1) {
      /** @type {{ rooms: Room[], next: string | null }} */
      const { rooms, next } = await this.connection.request('list_rooms', { limit: LONG_PAGE, ...(after && { after }) })
      for (const room of rooms) found.add(this.#keep(room))
      after = next
    }
    for (const room of this.rooms.values()) {
      if (found.has(room) || room.role === null) continue
      Object.assign(room, { role: null, gone: room.gone ?? { kind: 'lost' } })
      this.altered.emit(room)
    }
    this.isListed = true
    this.listed.emit()
  }

  /**
   * @param {string} type of a request that is answered with a room
   * @param {object} members
   */
  async #ask(type, members) {
    return this.#keep(roomOf(await this.connection.request(type, members)))
  }

  /** @param {Room} answer */
  #keep(answer) {
    const known = this.rooms.get(answer.id)
    const room = known ?? new ChatRoom(answer)
    known?.update(answer)
    this.rooms.set(room.id, room)
    this.altered.emit(room)
    return room
  }

  /** Has the events of a room come, and reads the end of its history. @param {ChatRoom} room */
  async #read(room) {
    if (room.role === null && !this.me?.isAdmin) return
    await this.watching.watch(room)
    if (room.log.older === undefined) await this.readOlder(room)
  }
}
