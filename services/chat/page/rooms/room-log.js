/** @typedef {import('../protocol.js').RoomEvent} RoomEvent */

/** Events that change something and are not shown themselves. */
const SILENT = ['deleted']

/** @param {RoomEvent[]} entries @param {number} seq */
function placeOf(entries, seq) {
  let [low, high] = [0, entries.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (/** @type {RoomEvent} */ (entries[middle]).seq < seq) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * What the page knows of a room's log. Events come in the order of their numbers, each once, however often the server sends
 * them; pages of the history are added before and between them.
 */
export class RoomLog {
  /** The number of the last event that was processed: from there it goes on after a break. @type {number | null} */
  after = null
  /** Of which log the numbers are: another one after a restored database. @type {string | null} */
  stream = null
  /** What is shown, in the order of the numbers. @type {RoomEvent[]} */
  entries = []
  /** `before` of the next page of the history; null: it begins here; undefined: nothing was read. @type {number | null | undefined} */
  older
  /** Messages that were deleted: a page of the history may be older than that. @type {Set<number>} */
  #deleted = new Set()

  /**
   * Begins at the head of a log, without what was known.
   *
   * @param {number} head
   * @param {string} stream
   */
  begin(head, stream) {
    this.after = head
    this.stream = stream
    this.entries = []
    this.older = undefined
    this.#deleted.clear()
  }

  /** @param {number} seq */
  find(seq) {
    const entry = this.entries[placeOf(this.entries, seq)]
    return entry?.seq === seq ? entry : undefined
  }

  /**
   * Takes events of the server. Those that were processed before are left out.
   *
   * @param {RoomEvent[]} events
   * @returns {{ fresh: RoomEvent[], isGap: boolean }} `isGap`: some are missing before the rest, which was not taken
   */
  take(events) {
    /** @type {RoomEvent[]} */
    const fresh = []
    for (const event of events) {
      const after = this.after ?? 0
      if (event.seq <= after) continue
      if (event.seq > after + 1) return { fresh, isGap: true }
      this.after = event.seq
      if (event.kind === 'deleted') this.#delete(Number(event.target_seq))
      if (!SILENT.includes(event.kind)) this.#put(event)
      fresh.push(event)
    }
    return { fresh, isGap: false }
  }

  /**
   * Adds a page of the history.
   *
   * @param {RoomEvent[]} messages
   * @param {number | null} older
   */
  addHistory(messages, older) {
    this.older = older
    for (const message of messages) {
      this.#put(message)
      if (message.deleted) this.#delete(message.seq)
    }
  }

  /** Forgets the oldest entries beyond this many; the history has them still. @param {number} most */
  trim(most) {
    const tooMany = this.entries.length - most
    if (tooMany <= 0) return
    this.entries.splice(0, tooMany)
    this.older = this.entries[0]?.seq
  }

  /** @param {RoomEvent} event */
  #put(event) {
    const place = placeOf(this.entries, event.seq)
    if (this.entries[place]?.seq === event.seq) return
    this.entries.splice(place, 0, this.#deleted.has(event.seq) ? { ...event, text: null, deleted: true } : event)
  }

  /** @param {number} seq */
  #delete(seq) {
    this.#deleted.add(seq)
    const entry = this.find(seq)
    if (entry) this.entries[placeOf(this.entries, seq)] = { ...entry, text: null, deleted: true }
  }
}
