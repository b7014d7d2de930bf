import { avatar } from './avatar.js'
import { element, make, nameOf } from './dom.js'
import { menuButton } from './menu.js'
import { rove } from './roving.js'
import { say } from './status.js'
import { ROLES } from './words.js'

/** @typedef {import('../protocol.js').Member} Member */
/** @typedef {import('../rooms/chat-room.js').ChatRoom} ChatRoom */

const ORDER = Object.keys(ROLES)

/**
 * Who is in the open room.
 *
 * @param {import('../rooms/chat.js').Chat} chat
 * @param {ReturnType<typeof import('./acts.js').actsOf>} acts
 */
export function membersPanel(chat, acts) {
  const [panel, list, opener] = [element('members'), element('member-list'), element('show-members')]
  const roving = rove(list, '.opener')
  /** @type {ChatRoom | undefined} */
  let read

  /** @param {boolean} isOpen */
  function toggle(isOpen) {
    panel.hidden = !isOpen
    opener.setAttribute('aria-expanded', String(isOpen))
    draw()
  }

  function draw() {
    const room = chat.current
    if (panel.hidden || !room) return
    if (room.moreMembers === undefined && room.watch !== 'none' && read !== room) more()
    const focused = document.activeElement?.closest('#member-list li')?.getAttribute('data-user')
    list.replaceChildren(...sorted(room).map((member) => row(room, member)))
    element('more-members').hidden = typeof room.moreMembers !== 'string'
    element('members-title').textContent =
      typeof room.moreMembers === 'string' ? 'Members' : `Members (${room.members.size})`
    roving()
    if (focused) /** @type {HTMLElement | null} */ (list.querySelector(`[data-user="${focused}"] .opener`))?.focus()
  }

  /** @param {ChatRoom} room @param {Member} member */
  function row(room, member) {
    const items = acts.ofPerson(room, member)
    const you = member.user_id === chat.me?.user_id ? [make('span', { class: 'aside' }, ' (you)')] : []
    const name = make('span', { class: 'who' }, nameOf(member.username), ...you)
    const role = member.role === 'member' ? [] : [make('span', { class: 'tag' }, ROLES[member.role] ?? '')]
    const menu = items.length > 0 ? [menuButton(`About ${member.username}`, () => acts.ofPerson(room, member))] : []
    return make('li', { 'data-user': member.user_id }, avatar(member), name, ...role, ...menu)
  }

  async function more() {
    const room = chat.current
    if (!room) return
    read = room
    await chat.readMembers(room).catch(({ code, message }) => code !== 'offline' && say(message))
    read = undefined
  }

  opener.addEventListener('click', () => {
    toggle(Boolean(panel.hidden))
    if (!panel.hidden) element('members-title').focus()
  })
  const close = () => {
    toggle(false)
    opener.focus()
  }
  element('close-members').addEventListener('click', close)
  element('more-members').addEventListener('click', async () => {
    await more()
    // The button goes away with the last page.
    if (element('more-members').hidden) element('members-title').focus()
  })
  panel.addEventListener('keydown', ({ key }) => key === 'Escape' && close())
  chat.altered.on((room) => room === chat.current && draw())
  chat.opened.on((room) => {
    // Beside the room where there is place; else on demand.
    toggle(matchMedia('(min-width: 64rem)').matches && room?.gone === null)
  })
}

/** @param {ChatRoom} room */
function sorted({ members }) {
  return [...members.values()].sort(
    (a, b) => ORDER.indexOf(a.role) - ORDER.indexOf(b.role) || a.username.localeCompare(b.username)
  )
}
