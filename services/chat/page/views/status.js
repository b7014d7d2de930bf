import { avatar } from './avatar.js'
import { element, make } from './dom.js'
import { menuButton } from './menu.js'
import { span } from './times.js'

/** How long a word about something that is done is shown, in milliseconds. */
const SHOWN = 4000

/** @type {Record<import('../net/connection.js').State['name'], string>} */
const WORDS = {
  off: '',
  connecting: 'Connecting…',
  open: 'Live',
  waiting: 'Offline',
  resting: 'Disconnected',
  'signed out': ''
}

const state = make('span', { class: 'state' })
const said = make('span', { class: 'said' })
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer

/**
 * Tells something in the one line that screen readers read by themselves.
 *
 * @param {string} text
 */
export function say(text) {
  clearTimeout(timer)
  said.textContent = text
  timer = setTimeout(() => {
    said.textContent = ''
  }, SHOWN)
}

/**
 * The bar at the top: how the connection is, how long the token lives, and who is signed in.
 *
 * @param {object} parts
 * @param {import('../net/connection.js').Connection} parts.connection
 * @param {import('../net/renewal.js').Renewal} parts.renewal
 * @param {import('../rooms/chat.js').Chat} parts.chat
 * @param {() => void} parts.signOut
 */
export function statusBar({ connection, renewal, chat, signOut }) {
  const line = element('status')
  // Only the part that has changed is read.
  line.setAttribute('aria-atomic', 'false')
  line.append(state, said)

  const show = () => {
    const { name } = connection.state
    const isBehind = name === 'open' && chat.current?.watch === 'behind'
    const word = isBehind ? 'Catching up…' : WORDS[name]
    if (state.textContent !== word) state.textContent = word
    line.dataset['state'] = isBehind ? 'behind' : name.replace(' ', '-')
    element('notice').hidden = name !== 'waiting' && name !== 'resting'
    element('try-now').hidden = name !== 'waiting'
    tick()
  }

  // The countdowns are no part of the line: nobody wants to hear each second.
  function tick() {
    const now = connection.state
    if (now.name === 'waiting' || now.name === 'resting') {
      const rest = Math.max(0, Math.ceil((now.at - Date.now()) / 1000))
      const why = now.name === 'resting' ? now.text : 'There is no connection. What you write waits until it is back.'
      element('notice-text').textContent = `${why} Next try in ${rest} s.`
    }
    const { end } = renewal
    element('life').hidden = now.name !== 'open' || end === undefined
    if (end !== undefined) element('life').textContent = `Token ${span(end - Date.now())}`
  }

  function account() {
    const { me } = chat
    if (!me) return element('account').replaceChildren()
    const name = make('span', { class: 'me' }, me.username)
    const menu = menuButton(`Account of ${me.username}`, () => [{ label: 'Sign out', act: signOut }], avatar(me), name)
    element('account').replaceChildren(menu)
  }

  element('try-now').addEventListener('click', () => connection.tryNow())
  connection.changed.on(show)
  chat.altered.on(show)
  chat.opened.on(show)
  renewal.changed.on((what) => {
    tick()
    if (what === 'renewed') say(`The token was renewed: ${span((renewal.end ?? 0) - Date.now())} left.`)
  })
  connection.opened.on(account)
  connection.changed.on(({ name }) => {
    if (name === 'off' || name === 'signed out') element('account').replaceChildren()
  })
  setInterval(tick, 250)
  show()
}
