/**
 * The element of the page with this id.
 *
 * @param {string} id
 * @returns {HTMLElement}
 */
export function element(id) {
  const found = document.getElementById(id)
  if (!found) throw new Error(`the page has no ${id}`)
  return found
}

/**
 * The field of the page with this id.
 *
 * @param {string} id
 * @returns {HTMLInputElement}
 */
export function input(id) {
  const found = element(id)
  if (!(found instanceof HTMLInputElement)) throw new Error(`${id} is no field`)
  return found
}

/**
 * Makes an element. Texts become text nodes: nothing that somebody wrote is read as HTML.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | boolean | undefined | ((event: any) => void)>} [given] attributes, and `onclick` and the
 *   like, which are added as listeners; true is an attribute without a value, false and undefined are left out
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, given = {}, ...children) {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(given)) {
    if (typeof value === 'function') made.addEventListener(name.slice(2), value)
    else if (value !== undefined && value !== false) made.setAttribute(name, value === true ? '' : value)
  }
  made.append(...children)
  return made
}

/**
 * A name that somebody chose: its direction of writing changes nothing around it.
 *
 * @param {string} name
 */
export function nameOf(name) {
  return make('bdi', { class: 'name' }, name)
}

/**
 * A button.
 *
 * @param {string} label
 * @param {() => void} act
 * @param {string} [look] classes
 */
export function button(label, act, look = 'small') {
  return make('button', { type: 'button', class: look, onclick: act }, label)
}
