import { element, make, nameOf } from './dom.js'
import { rove } from './roving.js'

/** @typedef {import('../rooms/chat-room.js').ChatRoom} ChatRoom */

/**
 * The list of rooms. Each is a link, so that the browser's Back leads through them.
 *
 * @param {import('../rooms/chat.js').Chat} chat
 */
export function roomList(chat) {
  const list = element('room-list')
  const roving = rove(list, 'a')
  /** @type {Map<string, HTMLLIElement>} */
  const rows = new Map()

  function show() {
    const rooms = chat.list()
    const wanted = new Set(rooms.map(({ id }) => id))
    for (const [id, row] of rows) {
      if (wanted.has(id)) continue
      row.remove()
      rows.delete(id)
    }
    rooms.forEach((room, place) => {
      const row = rows.get(room.id) ?? make('li')
      rows.set(room.id, row)
      draw(row, room)
      // Moved only if it has to be: a moved element loses the focus.
      if (list.children[place] !== row) list.insertBefore(row, list.children[place] ?? null)
    })
    element('no-rooms').hidden = rooms.length > 0 || !chat.isListed
    roving()
  }

  /**
   * @param {HTMLLIElement} row
   * @param {ChatRoom} room
   */
  function draw(row, room) {
    const link = row.querySelector('a') ?? make('a', { href: `#room=${room.id}`, 'data-room': room.id })
    const isCurrent = room === chat.current
    const marks = [room.name, room.visibility, room.unread, room.isClosed, room.gone?.kind, isCurrent].join('\n')
    if (link.dataset['marks'] === marks) return
    link.dataset['marks'] = marks
    link.classList.toggle('over', room.isClosed || room.gone !== null)
    if (isCurrent) link.setAttribute('aria-current', 'page')
    else link.removeAttribute('aria-current')
    link.replaceChildren(
      make('span', { class: 'sign', 'aria-hidden': 'true' }, room.visibility === 'private' ? '◆' : '#'),
      nameOf(room.name),
      ...(room.isClosed ? [make('span', { class: 'tag' }, 'closed')] : []),
      ...(room.unread > 0 ? [unread(room.unread)] : [])
    )
    if (!link.isConnected) row.append(link)
  }

  chat.listed.on(show)
  chat.altered.on(show)

  return {
    /** Moves the focus into the list: to the open room, else to the first. */
    focus() {
      const current = list.querySelector('[aria-current]') ?? list.querySelector('a') ?? element('rooms-title')
      if (current instanceof HTMLElement) current.focus()
    }
  }
}

/** @param {number} count */
function unread(count) {
  const text = count > 99 ? '99+' : String(count)
  return make('span', { class: 'count' }, text, make('span', { class: 'unseen' }, ' unread'))
}
