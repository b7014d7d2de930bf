import { asked } from './acts.js'
import { showBans } from './bans.js'
import { button, element } from './dom.js'
import { menuButton } from './menu.js'
import { askForName, showInvitation } from './room-dialogs.js'
import { say } from './status.js'
import { endOf } from './words.js'

/** @typedef {import('../rooms/chat-room.js').ChatRoom} ChatRoom */
/** @typedef {import('./menu.js').Item} Item */

/**
 * The head of the open room, and what stands in the place of the composer when nothing can be written.
 *
 * @param {import('../rooms/chat.js').Chat} chat
 * @param {ReturnType<typeof import('./acts.js').actsOf>} acts
 * @param {() => void} toRooms moves the focus to the list of rooms
 */
export function roomView(chat, acts, toRooms) {
  /** @param {ChatRoom | null} room */
  function show(room) {
    element('app').dataset['pane'] = room ? 'room' : 'rooms'
    element('no-room').hidden = room !== null
    element('open-room').hidden = room === null
    document.title = room ? `${room.name} · Latchkey chat` : 'Latchkey chat'
    if (!room) return
    element('room-title').textContent = room.name
    element('room-aside').textContent = room.visibility === 'private' ? 'Private room' : 'Public room'
    const text = endOf({ ...room, isAdmin: chat.me?.isAdmin ?? false, gone: room.gone, role: room.role })
    const isOver = text !== undefined
    const hadFocus = element('composer').contains(document.activeElement)
    element('composer').hidden = isOver
    element('ended').hidden = !isOver
    element('show-members').hidden = room.gone !== null
    if (!isOver) return
    if (element('ended-text').textContent !== text) {
      element('ended-text').textContent = text
      say(text)
    }
    element('ended-actions').replaceChildren(...waysOn(room))
    if (hadFocus) toRooms()
  }

  /** @param {ChatRoom} room */
  function waysOn(room) {
    const mayJoin = room.role === null && room.visibility === 'public' && !room.isClosed && room.gone?.kind !== 'banned'
    const join = () => chat.join(room.id).catch(({ message }) => say(message))
    return mayJoin ? [button(room.gone ? 'Join again' : 'Join', join, 'small primary')] : []
  }

  /** @param {ChatRoom} room @returns {Item[]} */
  function itemsOf(room) {
    /** @type {Item[]} */
    const items = []
    const { id: of } = room
    const told = (/** @type {Promise<unknown>} */ doing) => doing.catch(({ message }) => say(message))
    if (acts.may(room, 'invite')) items.push({ label: 'Invite people…', act: () => told(showInvitation(chat, room)) })
    if (acts.may(room, 'rename')) items.push({ label: 'Rename the room…', act: () => askForName(chat, room) })
    if (acts.may(room, 'unban')) items.push({ label: 'Banned people…', act: () => told(showBans(chat, room)) })
    if (acts.may(room, 'close')) {
      const words = ['Nobody can write in it again. Its members may still read it.']
      items.push(asked('Close the room', words, () => chat.connection.request('close_room', { room: of })))
    }
    if (acts.may(room, 'leave'))
      items.push(asked('Leave the room', ['You get no more of what is said here.'], () => leave(room)))
    return items
  }

  /** @param {ChatRoom} room */
  async function leave(room) {
    await chat.connection.request('leave', { room: room.id })
    say(`You have left ${room.name}.`)
    location.hash = ''
    toRooms()
  }

  chat.opened.on((room) => {
    element('ended-text').textContent = ''
    show(room)
    if (room) element('room-menu').replaceChildren(menuButton('About this room', () => itemsOf(room)))
  })
  chat.altered.on((room) => {
    if (room !== chat.current) return
    show(room)
    const menu = element('room-menu')
    menu.hidden = itemsOf(room).length === 0
  })
  element('back').addEventListener('click', () => {
    location.hash = ''
    toRooms()
  })
}
