const STEPS = /** @type {Record<string, number>} */ ({ ArrowDown: 1, ArrowUp: -1 })

/**
 * Makes a list one stop of the Tab key, in which arrows, Home and End move (ARIA Authoring Practices, roving tabindex).
 *
 * @param {HTMLElement} list
 * @param {string} selector of what can have the focus
 * @param {'first' | 'last'} [start] where Tab comes in
 * @returns {() => void} to be called after the list has changed
 */
export function rove(list, selector, start = 'first') {
  const stops = () => /** @type {HTMLElement[]} */ ([...list.querySelectorAll(selector)])

  /** @param {HTMLElement | undefined} chosen */
  const choose = (chosen) => {
    for (const stop of stops()) stop.tabIndex = stop === chosen ? 0 : -1
  }

  list.addEventListener('focusin', ({ target }) => {
    if (target instanceof HTMLElement && target.matches(selector)) choose(target)
  })
  list.addEventListener('keydown', (event) => {
    const all = stops()
    const place = all.indexOf(/** @type {HTMLElement} */ (event.target))
    if (place < 0) return
    const ends = event.key === 'Home' ? all[0] : all.at(-1)
    const step = STEPS[event.key]
    const next = step !== undefined ? all[place + step] : event.key === 'Home' || event.key === 'End' ? ends : undefined
    if (!next) return
    event.preventDefault()
    next.focus()
  })
  return () => {
    const all = stops()
    if (all.filter(({ tabIndex }) => tabIndex === 0).length === 1) return
    choose(all.find((stop) => stop === document.activeElement) ?? all.at(start === 'first' ? 0 : -1))
  }
}
