import { avatar } from './avatar.js'
import { button, make, nameOf } from './dom.js'
import { withLinks } from './links.js'
import { menuButton } from './menu.js'
import { clock, dayOf } from './times.js'
import { sentenceOf } from './words.js'

/** @typedef {import('../protocol.js').RoomEvent} RoomEvent */
/** @typedef {import('./menu.js').Item} Item */

/** Messages of one author within so many milliseconds stand together under one name. */
const TOGETHER = 5 * 60_000

/**
 * A row of the log: a message or what happened; undefined: nothing to show.
 *
 * @param {RoomEvent} event
 * @param {object} around
 * @param {RoomEvent | undefined} around.before the row before
 * @param {boolean} around.isOwn
 * @param {() => Item[]} around.itemsOf what can be done with it
 * @returns {HTMLLIElement | undefined}
 */
export function rowOf(event, { before, isOwn, itemsOf }) {
  const day = dayOf(event.created_at)
  const heading = before && dayOf(before.created_at) === day ? [] : [make('p', { class: 'day' }, day)]
  if (event.kind !== 'message') {
    const sentence = sentenceOf(event)
    if (sentence === undefined) return undefined
    const line = make('p', { class: 'happened' }, make('bdi', {}, sentence), ' ', clock(event.created_at))
    return row(event, 'event', [...heading, line, ...menuOf(sentence, itemsOf)])
  }
  const { actor } = event
  const isGrouped = heading.length === 0 && before !== undefined && belongsTo(before, event)
  const by = make('p', { class: isGrouped ? 'by unseen' : 'by' }, nameOf(actor.username), ' ', clock(event.created_at))
  const text = event.deleted
    ? make('p', { class: 'text gone' }, 'This message was deleted.')
    : make('p', { class: 'text', dir: 'auto' }, ...withLinks(event.text ?? ''))
  const side = isGrouped ? make('span', { class: 'side' }, clock(event.created_at)) : avatar(actor)
  if (isGrouped) side.setAttribute('aria-hidden', 'true')
  const body = make('div', { class: 'body' }, by, text)
  const message = make('div', { class: 'said-by' }, side, body, ...menuOf(`Message of ${actor.username}`, itemsOf))
  const looks = ['message', ...(isGrouped ? ['grouped'] : []), ...(isOwn ? ['own'] : [])]
  return row(event, looks.join(' '), [...heading, message])
}

/**
 * A message of ours that is on its way.
 *
 * @param {import('../rooms/outbox.js').Unsent} message
 * @param {{ retry: () => void, discard: () => void }} acts
 */
export function unsentRow({ client_id, text, state, reason }, { retry, discard }) {
  const words = { waiting: 'Waiting to be sent', sending: 'Sending…', sent: 'Sent', refused: `Not sent. ${reason}` }
  const note = make('p', { class: 'note' }, words[state])
  if (state === 'refused') note.append(' ', button('Retry', retry, 'link'), ' ', button('Discard', discard, 'link'))
  const body = make('div', { class: 'body' }, make('p', { class: 'text', dir: 'auto' }, ...withLinks(text)), note)
  return make('li', { class: `message unsent ${state}`, 'data-client-id': client_id }, body)
}

/**
 * @param {RoomEvent} before
 * @param {RoomEvent} event
 */
function belongsTo(before, event) {
  const gap = Date.parse(event.created_at) - Date.parse(before.created_at)
  return before.kind === 'message' && before.actor.user_id === event.actor.user_id && gap < TOGETHER
}

/**
 * @param {string} label
 * @param {() => Item[]} itemsOf
 */
function menuOf(label, itemsOf) {
  return itemsOf().length > 0 ? [menuButton(label, itemsOf)] : []
}

/**
 * @param {RoomEvent} event
 * @param {string} look
 * @param {Node[]} children
 */
function row({ seq }, look, children) {
  return make('li', { class: look, 'data-seq': String(seq) }, ...children)
}
