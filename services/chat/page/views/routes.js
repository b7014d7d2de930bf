import { readHash } from '../place.js'
import { focusRoom } from './focus.js'
import { askToJoin } from './room-dialogs.js'
import { say } from './status.js'

/**
 * Opens the room that the address names, and keeps the address at the open room. The code of an invitation leaves the
 * address bar and the history at once; it waits here until somebody has signed in.
 *
 * @param {import('../rooms/chat.js').Chat} chat
 */
export function routes(chat) {
  /** @type {{ room?: string, code?: string }} */
  let wanted = {}

  function read() {
    wanted = readHash(location.hash)
    if (wanted.code) history.replaceState(null, '', `#room=${wanted.room ?? ''}`)
    if (wanted.room) go()
    else if (chat.current) chat.open(null)
  }

  async function go() {
    const { room: id, code } = wanted
    if (!id) return
    if (id === chat.current?.id && code === undefined) return
    const isReadable = chat.connection.state.name === 'open' || chat.rooms.has(id)
    if (!isReadable) return
    wanted = {}
    await enter(id, code).catch((refusal) => refused(refusal, id, code))
  }

  /**
   * @param {string} id
   * @param {string | undefined} code
   */
  async function enter(id, code) {
    const room = await chat.find(id)
    const isOurs = room.role !== null || chat.me?.isAdmin || room.gone !== null
    if (!isOurs) return askToJoin(chat, { id, name: room.name, code })
    chat.open(room)
    focusRoom()
  }

  /**
   * @param {import('../net/requests.js').Refusal} refusal
   * @param {string} id
   * @param {string | undefined} code
   */
  function refused(refusal, id, code) {
    if (refusal.code !== 'not_found') return say(refusal.message)
    if (code !== undefined) return void askToJoin(chat, { id, code })
    say('There is no such room, or it is private and you need an invitation.')
  }

  addEventListener('hashchange', read)
  chat.connection.opened.on(() => go())
  chat.opened.on((room) => {
    const { room: shown } = readHash(location.hash)
    if (room && shown !== room.id) history.pushState(null, '', `#room=${room.id}`)
  })
  read()
}
