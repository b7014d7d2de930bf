import { choices, field, openDialog } from './dialog.js'
import { button, make, nameOf } from './dom.js'
import { focusRoom } from './focus.js'
import { say } from './status.js'

/** @typedef {import('../rooms/chat.js').Chat} Chat */
/** @typedef {import('../rooms/chat-room.js').ChatRoom} ChatRoom */

const VISIBILITIES = [
  { value: 'public', label: 'Public', aside: 'anybody finds it and may join' },
  { value: 'private', label: 'Private', aside: 'only those who have an invitation' }
]

/** Rooms of a page when one browses. */
const PAGE = 50

/** @param {Chat} chat */
export function askForRoom(chat) {
  openDialog({
    title: 'New room',
    content: [
      field('Name', { name: 'name', autocomplete: 'off', maxlength: '128' }),
      choices('Who may join', 'visibility', VISIBILITIES, 'public')
    ],
    confirm: 'Make the room',
    act: ({ name = '', visibility = '' }) => chat.create({ name: name.trim(), visibility }),
    after: focusRoom
  })
}

/** @param {Chat} chat @param {ChatRoom} room */
export function askForName(chat, room) {
  openDialog({
    title: 'Rename the room',
    content: [field('Name', { name: 'name', value: room.name, autocomplete: 'off', maxlength: '128' })],
    confirm: 'Rename',
    act: ({ name = '' }) => chat.connection.request('rename_room', { room: room.id, name: name.trim() })
  })
}

/** @param {Chat} chat @param {ChatRoom} room */
export async function showInvitation(chat, room) {
  /** @type {{ code: string, expires_in: number }} */
  const { code, expires_in } = await chat.connection.request('invite', { room: room.id })
  const link = new URL(`#room=${room.id}&code=${code}`, document.baseURI).href
  const box = field('Link', { value: link, readonly: true })
  const input = /** @type {HTMLInputElement} */ (box.querySelector('input'))
  const copy = async () => {
    input.select()
    await navigator.clipboard?.writeText(link)
    say('The link was copied.')
  }
  const days = Math.round(expires_in / 86_400)
  openDialog({
    title: 'Invite people',
    content: [
      make('p', {}, `Whoever opens this link may join ${room.name}. It works for ${days} days, as often as you like.`),
      box,
      make('p', {}, button('Copy the link', copy, 'small'))
    ]
  })
}

/**
 * Asks whether somebody wants to join, as by the link of an invitation.
 *
 * @param {Chat} chat
 * @param {{ id: string, name?: string | undefined, code?: string | undefined }} room its name is unknown if it is private
 */
export function askToJoin(chat, { id, name, code }) {
  const words =
    name === undefined ? ['You were invited to a private room.'] : ['You were invited to ', nameOf(name), '.']
  openDialog({
    title: 'Join the room?',
    content: [make('p', {}, ...words, ' Its members see your name.')],
    confirm: 'Join',
    act: () => chat.join(id, code),
    after: focusRoom
  })
}

/**
 * The public rooms, a page at a time.
 *
 * @param {Chat} chat
 */
export async function browse(chat) {
  const list = make('ul', { class: 'list found' })
  const more = button('More rooms', () => further().catch(({ message }) => say(message)))
  /** @type {string | null | undefined} */
  let after

  async function read() {
    /** @type {{ rooms: import('../protocol.js').Room[], next: string | null }} */
    const { rooms, next } = await chat.connection.request('list_rooms', {
      scope: 'public',
      limit: PAGE,
      ...(after && { after })
    })
    after = next
    more.hidden = next === null
    list.append(...rooms.map(row))
  }

  async function further() {
    const before = list.children.length
    await read()
    // The button goes away with the last page.
    list.children[before]?.querySelector('button')?.focus()
  }

  /** @param {import('../protocol.js').Room} room */
  function row({ id, name, role }) {
    const label = role === null ? 'Join' : 'Open'
    const go = async () => {
      await chat.join(id)
      dialog.close('done')
    }
    const act = button(label, () => go().catch(({ message }) => say(message)), 'small')
    act.setAttribute('aria-label', `${label} ${name}`)
    return make('li', {}, nameOf(name), act)
  }

  await read()
  const content = list.children.length > 0 ? [list, more] : [make('p', {}, 'There is no public room yet.')]
  const dialog = openDialog({ title: 'Public rooms', content, after: focusRoom })
}
