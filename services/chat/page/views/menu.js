import { make } from './dom.js'

/**
 * Something that can be done.
 *
 * @typedef {{ label: string, act: () => void, isDanger?: boolean }} Item
 */

/** Closes the menu that is open. @type {(() => void) | undefined} */
let closeOpen

addEventListener('click', ({ target }) => {
  if (target instanceof Element && !target.closest('.menu')) closeOpen?.()
})

/**
 * A button with a menu (ARIA Authoring Practices, menu button): arrows move, Esc closes, and the focus goes back.
 *
 * @param {string} label what it is a menu of, for screen readers
 * @param {() => Item[]} itemsOf asked when it opens
 * @param {(Node | string)[]} face of the button
 */
export function menuButton(label, itemsOf, ...face) {
  const opener = make('button', {
    type: 'button',
    class: 'plain opener',
    'aria-label': label,
    'aria-haspopup': 'menu',
    'aria-expanded': 'false',
    onclick: () => (whole.querySelector('[role=menu]') ? close() : open())
  })
  opener.append(...(face.length > 0 ? face : [make('span', { 'aria-hidden': 'true' }, '⋯')]))
  const whole = make('div', { class: 'menu' }, opener)

  function open() {
    closeOpen?.()
    closeOpen = close
    const items = itemsOf().map(({ label, act, isDanger }) => {
      const run = () => {
        close()
        opener.focus()
        act()
      }
      const look = isDanger ? 'danger' : undefined
      return make('button', { type: 'button', role: 'menuitem', tabindex: '-1', class: look, onclick: run }, label)
    })
    const list = make('div', { role: 'menu', 'aria-label': label, onkeydown: moved }, ...items)
    whole.append(list)
    opener.setAttribute('aria-expanded', 'true')
    // Upward where there is no room below.
    const bounds = whole.closest('.scroller')?.getBoundingClientRect().bottom ?? innerHeight
    list.classList.toggle('above', list.getBoundingClientRect().bottom > bounds)
    items[0]?.focus()
  }

  function close() {
    closeOpen = undefined
    whole.querySelector('[role=menu]')?.remove()
    opener.setAttribute('aria-expanded', 'false')
  }

  /** @param {KeyboardEvent} event */
  function moved(event) {
    const items = /** @type {HTMLElement[]} */ ([...whole.querySelectorAll('[role=menuitem]')])
    const place = items.indexOf(/** @type {HTMLElement} */ (document.activeElement))
    const places = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: -1 }
    if (event.key === 'Tab') return close()
    event.stopPropagation()
    if (event.key === 'Escape') {
      close()
      opener.focus()
    }
    const next = places[/** @type {keyof typeof places} */ (event.key)]
    if (next === undefined) return
    event.preventDefault()
    items.at(next % items.length)?.focus()
  }

  return whole
}
