import { openDialog } from './dialog.js'
import { button, make, nameOf } from './dom.js'
import { say } from './status.js'
import { dayOf } from './times.js'

/** Bans of a page. */
const PAGE = 50

/**
 * Who may not join a room, a page at a time, with a button beside each that lifts it.
 *
 * @param {import('../rooms/chat.js').Chat} chat
 * @param {import('../rooms/chat-room.js').ChatRoom} room
 */
export async function showBans(chat, room) {
  const list = make('ul', { class: 'list found' })
  const none = make('p', { tabindex: '-1' }, 'Nobody is banned from this room.')
  const more = button('More', () => further().catch(({ message }) => say(message)), 'small')
  /** @type {string | null | undefined} */
  let after

  async function read() {
    /** @type {{ bans: import('../protocol.js').Ban[], next: string | null }} */
    const { bans, next } = await chat.connection.request('bans', {
      room: room.id,
      limit: PAGE,
      ...(after && { after })
    })
    after = next
    more.hidden = next === null
    list.append(...bans.map(row))
    tellNone()
  }

  async function further() {
    const before = list.children.length
    await read()
    // The button goes away with the last page.
    list.children[before]?.querySelector('button')?.focus()
  }

  function tellNone() {
    none.hidden = list.children.length > 0 || after !== null
  }

  /** @param {import('../protocol.js').Ban} ban */
  function row({ user_id, username, created_at }) {
    const name = username ?? 'Somebody who never wrote here'
    const lift = button('Lift the ban', () => free().catch(({ message }) => say(message)), 'small')
    lift.setAttribute('aria-label', `Lift the ban of ${name}`)
    const item = make(
      'li',
      {},
      make('span', { class: 'who' }, nameOf(name), make('span', { class: 'aside' }, ` · ${dayOf(created_at)}`)),
      lift
    )
    return item

    async function free() {
      await chat.connection.request('unban', { room: room.id, user_id })
      say(`${name} may join again.`)
      // The button that has the focus goes away.
      const next = item.nextElementSibling ?? item.previousElementSibling
      item.remove()
      tellNone()
      const target = next?.querySelector('button') ?? (more.hidden ? none : more)
      target.focus()
    }
  }

  await read()
  openDialog({ title: `Banned from ${room.name}`, content: [list, none, make('p', {}, more)] })
}
