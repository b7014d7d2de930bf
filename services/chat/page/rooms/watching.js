/** @typedef {import('../protocol.js').Frame} Frame */
/** @typedef {import('../protocol.js').RoomEvent} RoomEvent */
/** @typedef {import('./chat-room.js').ChatRoom} ChatRoom */

/** The rooms whose events come over the socket. */
export class Watching {
  #most = 50

  /** @param {import('./chat.js').Chat} chat */
  constructor(chat) {
    this.chat = chat
    chat.connection.told.on((frame) => this.#take(frame))
    chat.connection.changed.on(({ name }) => {
      if (name !== 'open') this.#forget()
    })
  }

  /** @param {number} most rooms at once on a socket */
  begin(most) {
    this.#most = most
    this.#forget()
  }

  /**
   * Subscribes to a room from where the page is. The room that is looked at displaces another one if there are too many.
   *
   * @param {ChatRoom} room
   */
  async watch(room) {
    if (room.watch !== 'none' || room.isClosed) return
    const watched = [...this.chat.rooms.values()].filter(({ watch }) => watch !== 'none')
    if (watched.length >= this.#most) {
      const other = watched.find((other) => other !== this.chat.current)
      if (room !== this.chat.current || !other) return
      await this.unwatch(other)
    }
    await this.#subscribe(room)
  }

  /** @param {ChatRoom} room */
  async unwatch(room) {
    room.watch = 'none'
    await this.#request('unsubscribe', { room: room.id })
  }

  /** @param {ChatRoom} room */
  async #subscribe(room) {
    const { log } = room
    room.watch = 'behind'
    this.chat.altered.emit(room)
    try {
      const from = log.after === null ? {} : { after: log.after, stream: log.stream }
      const { head, stream } = await this.#request('subscribe', { room: room.id, ...from })
      if (log.after === null) log.begin(head, stream)
    } catch (error) {
      room.watch = 'none'
      const { code } = /** @type {import('../net/requests.js').Refusal} */ (error)
      if (['not_a_member', 'not_found', 'banned'].includes(code)) this.#gone(room)
      if (code === 'offline') throw error
    }
  }

  /**
   * @param {string} type
   * @param {object} members
   */
  #request(type, members) {
    return this.chat.connection.request(type, members)
  }

  /** @param {Frame} frame */
  #take(frame) {
    const room = this.chat.rooms.get(String(frame['room']))
    if (!room) return
    if (frame.type === 'events') this.#happened(room, /** @type {RoomEvent[]} */ (frame['events']))
    if (frame.type === 'reset') this.#reset(room, Number(frame['head']), String(frame['stream']))
    if (frame.type === 'unsubscribed') this.#ended(room, String(frame['reason']))
    if (frame.type !== 'synced') return
    room.watch = 'live'
    this.chat.altered.emit(room)
  }

  /**
   * @param {ChatRoom} room
   * @param {RoomEvent[]} events
   */
  #happened(room, events) {
    const me = this.chat.me?.user_id ?? ''
    const { fresh, isGap } = room.log.take(events)
    for (const event of fresh) {
      room.apply(event, me)
      if (event.kind === 'message' && event.actor.user_id !== me && room !== this.chat.current) room.unread += 1
    }
    this.chat.happened.emit({ room, fresh, isLive: room.watch === 'live' })
    this.chat.outbox.settle(room.id, room.log, me)
    if (fresh.some(({ kind }) => kind !== 'deleted' && kind !== 'message')) this.chat.altered.emit(room)
    this.chat.listed.emit()
    // The server leaves none out; if one is missing all the same, it is asked for what comes after the last one.
    if (isGap) this.#subscribe(room).catch(() => {})
  }

  /**
   * The log is another one, or too much has happened: what is shown is read anew.
   *
   * @param {ChatRoom} room
   * @param {number} head
   * @param {string} stream
   */
  #reset(room, head, stream) {
    room.log.begin(head, stream)
    room.moreMembers = undefined
    room.banned.clear()
    this.chat.reread.emit(room)
    // What was missed may have changed the room, and who is in it.
    this.chat.renew(room).catch(() => {})
    if (room === this.chat.current) this.chat.readOlder(room).catch(() => {})
  }

  /**
   * @param {ChatRoom} room
   * @param {string} reason
   */
  #ended(room, reason) {
    room.watch = 'none'
    if (reason === 'room_closed') room.isClosed = true
    // Whether one has joined since is seen by whether one may listen again.
    else if (reason === 'demoted') this.watch(room).catch(() => {})
    else this.#gone(room)
    this.chat.altered.emit(room)
    this.chat.listed.emit()
  }

  /** @param {ChatRoom} room */
  #gone(room) {
    Object.assign(room, { role: null, gone: room.gone ?? { kind: 'lost' } })
    this.chat.altered.emit(room)
  }

  /** A new socket knows nothing of what the old one was subscribed to. */
  #forget() {
    for (const room of this.chat.rooms.values()) {
      if (room.watch === 'none') continue
      room.watch = 'none'
      room.moreMembers = undefined
      this.chat.altered.emit(room)
    }
  }
}
