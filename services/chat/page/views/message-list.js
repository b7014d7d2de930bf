import { element } from './dom.js'
import { rowOf, unsentRow } from './message.js'
import { rove } from './roving.js'

/** @typedef {import('../protocol.js').RoomEvent} RoomEvent */
/** @typedef {import('../rooms/chat-room.js').ChatRoom} ChatRoom */

/** So many pixels above the end still count as the end; so many below the top call for the page before. */
const NEAR_END = 48
const NEAR_TOP = 120

/** With more rows than the first the oldest go, down to the second. */
const [MOST, KEPT] = [600, 400]

/**
 * The messages of the open room. What is read from the history stands in one list, what comes live in another, which screen
 * readers read aloud; both look like one.
 *
 * @param {import('../rooms/chat.js').Chat} chat
 * @param {(room: ChatRoom, event: RoomEvent) => import('./menu.js').Item[]} itemsOf what can be done with an entry
 */
export function messageList(chat, itemsOf) {
  const [scroller, past, live] = [element('scroller'), element('past'), element('live')]
  const roving = rove(scroller, '.opener', 'last')
  let isAtEnd = true
  // So that the arrows scroll it.
  scroller.tabIndex = 0
  let isReading = false

  const toEnd = () => {
    scroller.scrollTop = scroller.scrollHeight
    isAtEnd = true
    element('to-end').hidden = true
  }

  /**
   * @param {ChatRoom} room
   * @param {number} place in the log
   */
  function rowAt(room, place) {
    const event = room.log.entries[place]
    if (!event) return undefined
    const isOwn = event.actor.user_id === chat.me?.user_id
    return rowOf(event, { before: room.log.entries[place - 1], isOwn, itemsOf: () => itemsOf(room, event) })
  }

  /** Draws everything anew, as part of the past. @param {ChatRoom} room */
  function draw(room) {
    const rows = room.log.entries.map((_, place) => rowAt(room, place))
    past.replaceChildren(...rows.filter((row) => row !== undefined))
    live.replaceChildren()
    frame(room)
    roving()
  }

  /** What stands before and after the messages. @param {ChatRoom} room */
  function frame(room) {
    const { older, entries } = room.log
    element('earlier').hidden = typeof older !== 'number'
    element('beginning').hidden = older !== null || entries.length === 0
    element('beginning').textContent = `This is the beginning of ${room.name}.`
    element('silence').hidden = older === undefined || entries.length > 0 || chat.outbox.of(room.id).length > 0
  }

  /** @param {{ room: ChatRoom, fresh: RoomEvent[], isLive: boolean }} what */
  function happened({ room, fresh, isLive }) {
    if (room !== chat.current) return
    for (const event of fresh) show(room, event, isLive ? live : past)
    if (isAtEnd && room.log.entries.length > MOST) {
      room.log.trim(KEPT)
      draw(room)
    }
    frame(room)
    roving()
    if (isAtEnd) toEnd()
    else if (fresh.some(({ kind }) => kind === 'message')) element('to-end').hidden = false
  }

  /**
   * @param {ChatRoom} room
   * @param {RoomEvent} event
   * @param {HTMLElement} list
   */
  function show(room, event, list) {
    if (event.kind === 'deleted') replace(room, Number(event.target_seq))
    else if (!scroller.querySelector(`[data-seq="${event.seq}"]`)) add(room, event, list)
  }

  /**
   * @param {ChatRoom} room
   * @param {RoomEvent} event
   * @param {HTMLElement} list
   */
  function add(room, event, list) {
    const row = rowAt(
      room,
      room.log.entries.findLastIndex(({ seq }) => seq === event.seq)
    )
    if (row) list.append(row)
  }

  /**
   * @param {ChatRoom} room
   * @param {number} seq
   */
  function replace(room, seq) {
    const old = scroller.querySelector(`[data-seq="${seq}"]`)
    const row = rowAt(
      room,
      room.log.entries.findIndex((entry) => entry.seq === seq)
    )
    if (!old || !row) return
    const hadFocus = old.contains(document.activeElement)
    old.replaceWith(row)
    if (hadFocus) scroller.focus()
  }

  /** @param {ChatRoom} room */
  function reread(room) {
    if (room !== chat.current) return
    const fromEnd = scroller.scrollHeight - scroller.scrollTop
    const wasAtEnd = isAtEnd
    const hadFocus = document.activeElement === element('earlier')
    draw(room)
    if (wasAtEnd) toEnd()
    else scroller.scrollTop = scroller.scrollHeight - fromEnd
    if (hadFocus && element('earlier').hidden) scroller.focus()
  }

  /** @param {string} id of a room */
  function drawUnsent(id) {
    if (id !== chat.current?.id) return
    const { outbox } = chat
    const rows = outbox
      .of(id)
      .map((message) =>
        unsentRow(message, { retry: () => outbox.retry(message), discard: () => outbox.discard(message) })
      )
    element('unsent').replaceChildren(...rows)
    frame(chat.current)
    if (isAtEnd) toEnd()
  }

  async function readOlder() {
    const room = chat.current
    if (isReading || !room || typeof room.log.older !== 'number') return
    isReading = true
    scroller.setAttribute('aria-busy', 'true')
    await chat.readOlder(room).catch(() => {})
    scroller.removeAttribute('aria-busy')
    isReading = false
  }

  scroller.addEventListener('scroll', () => {
    isAtEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END
    if (isAtEnd) element('to-end').hidden = true
    if (scroller.scrollTop < NEAR_TOP && scroller.scrollHeight > scroller.clientHeight + NEAR_TOP) readOlder()
  })
  // The keyboard of a phone, or a text of more lines, takes the end away from those who look at it.
  new ResizeObserver(() => isAtEnd && toEnd()).observe(scroller)
  element('earlier').addEventListener('click', readOlder)
  element('to-end').addEventListener('click', () => {
    toEnd()
    scroller.focus()
  })
  chat.happened.on(happened)
  chat.reread.on(reread)
  chat.outbox.changed.on(drawUnsent)
  chat.altered.on((room) => {
    // What is caught up comes after what was live, and is not read aloud.
    if (room === chat.current && room.watch !== 'live') past.append(...live.children)
  })
  chat.opened.on((room) => {
    if (!room) return
    draw(room)
    drawUnsent(room.id)
    toEnd()
  })
  return { toEnd, draw: () => chat.current && reread(chat.current) }
}
