import { mayDo } from '../rooms/rights.js'
import { choices, openDialog } from './dialog.js'
import { make, nameOf } from './dom.js'
import { say } from './status.js'

/** @typedef {import('../protocol.js').Person} Person */
/** @typedef {import('../protocol.js').RoomEvent} RoomEvent */
/** @typedef {import('../rooms/chat-room.js').ChatRoom} ChatRoom */
/** @typedef {import('./menu.js').Item} Item */

const ROLE_CHOICES = [
  { value: 'member', label: 'Member', aside: 'reads and writes' },
  { value: 'moderator', label: 'Moderator', aside: 'also invites, deletes messages, and removes and bans members' },
  { value: 'owner', label: 'Owner', aside: 'also names the room, closes it, and gives these roles' }
]

/**
 * What one may do with messages and people, by their role in the room.
 *
 * @param {import('../rooms/chat.js').Chat} chat
 */
export function actsOf(chat) {
  /** @param {ChatRoom} room @param {import('../rooms/rights.js').Right} right @param {Person} [person] */
  const may = (room, right, person) =>
    mayDo(right, {
      role: room.role,
      isAdmin: chat.me?.isAdmin ?? false,
      isClosed: room.isClosed || room.gone !== null,
      target: person && room.members.get(person.user_id)?.role
    })

  /** @param {string} type @param {object} members @param {string} done */
  async function act(type, members, done) {
    await chat.connection.request(type, members)
    say(done)
  }

  /** @param {ChatRoom} room @param {Person} person @returns {Item[]} */
  function ofPerson(room, person) {
    const { user_id, username } = person
    const [target, isMember] = [{ room: room.id, user_id }, room.members.has(user_id)]
    /** @type {Item[]} */
    const items = []
    if (isMember && may(room, 'set_role')) items.push({ label: 'Change the role…', act: () => askRole(room, person) })
    if (user_id === chat.me?.user_id) return items
    if (isMember && may(room, 'kick', person)) {
      const words = [nameOf(username), ' gets no more of what is said here, and may join again.']
      items.push(asked('Remove from the room', words, () => act('kick', target, `${username} was removed.`)))
    }
    if (!room.banned.has(user_id) && may(room, 'ban', person)) {
      const words = [nameOf(username), ' is removed, and may not join again until the ban is lifted.']
      items.push(asked('Ban', words, () => act('ban', target, `${username} was banned.`)))
    }
    if (!isMember && may(room, 'unban')) {
      const lift = () => act('unban', target, `${username} may join again.`).catch(({ message }) => say(message))
      items.push({ label: 'Lift the ban', act: lift })
    }
    return items
  }

  /** @param {ChatRoom} room @param {Person} person */
  function askRole(room, { user_id, username }) {
    const now = room.members.get(user_id)?.role ?? 'member'
    openDialog({
      title: `Role of ${username}`,
      content: [choices('Role', 'role', ROLE_CHOICES, now)],
      confirm: 'Save',
      act: ({ role }) => act('set_role', { room: room.id, user_id, role }, `${username}: ${role}.`)
    })
  }

  /** @param {ChatRoom} room @param {RoomEvent} event @returns {Item[]} */
  function ofEntry(room, event) {
    if (event.kind === 'kicked' || event.kind === 'banned') {
      const { user_id = '', username } = event.target ?? {}
      return room.banned.has(user_id) ? ofPerson(room, { user_id, username: username ?? 'They' }) : []
    }
    if (event.kind !== 'message') return []
    const isOwn = event.actor.user_id === chat.me?.user_id
    const items = event.deleted ? [] : ofText(room, event, isOwn)
    return isOwn ? items : [...items, ...ofPerson(room, event.actor)]
  }

  /** @param {ChatRoom} room @param {RoomEvent} event @param {boolean} isOwn @returns {Item[]} */
  function ofText(room, { seq, text }, isOwn) {
    /** @type {Item[]} */
    const items = []
    const copied = () => say('Copied.')
    // Browsers have it on pages of TLS and of this machine alone.
    if (navigator.clipboard)
      items.push({ label: 'Copy the text', act: () => void navigator.clipboard.writeText(text ?? '').then(copied) })
    if (!may(room, isOwn ? 'delete_own' : 'delete_other')) return items
    const words = ['Its text is gone for everybody. That there was a message stays.']
    return [
      ...items,
      asked('Delete the message', words, () => act('delete', { room: room.id, seq }, 'The message was deleted.'))
    ]
  }

  return { may, act, ofPerson, ofEntry }
}

/**
 * Something that is done after a question.
 *
 * @param {string} label
 * @param {(Node | string)[]} words
 * @param {() => Promise<unknown>} act
 * @returns {Item}
 */
export function asked(label, words, act) {
  const ask = () =>
    openDialog({ title: `${label}?`, content: [make('p', {}, ...words)], confirm: label, isDanger: true, act })
  return { label: `${label}…`, act: ask, isDanger: true }
}
