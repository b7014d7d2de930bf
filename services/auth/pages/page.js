/** @typedef {import('./send.js').Outcome} Outcome */

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
export function element(id) {
  const found = document.getElementById(id)
  if (!found) throw new Error(`the page has no ${id}`)
  return found
}

/**
 * Shows one section of the page instead of the others, and has it read aloud from its heading.
 *
 * @param {string} id
 * @param {string} [email] the address that it names
 */
export function show(id, email) {
  for (const section of document.querySelectorAll('section')) section.hidden = section.id !== id
  if (email !== undefined) {
    for (const place of document.querySelectorAll('[data-email]')) place.textContent = email
  }
  say('')
  const heading = element(id).querySelector('h1')
  document.title = heading?.textContent ?? document.title
  heading?.focus()
}

/**
 * Tells a fault that belongs to no field; the empty text takes the last one away.
 *
 * @param {string} text
 */
export function say(text) {
  element('message').textContent = text
}

/**
 * Puts what the link says into the form of a section, and hides the fields that need not be filled in.
 *
 * @param {string} id
 * @param {{ email: string, code: string }} given
 */
export function fill(id, given) {
  const isComplete = given.email !== '' && given.code !== ''
  element('known').hidden = !isComplete
  element('unknown').hidden = isComplete
  for (const [name, value] of Object.entries(given)) {
    inputOf(id, name).value = value
    const field = element(id).querySelector(`[data-given="${name}"]`)
    if (field instanceof HTMLElement) field.hidden = isComplete
  }
}

/**
 * @param {string} id of a section
 * @param {string} name
 * @returns {HTMLInputElement}
 */
export function inputOf(id, name) {
  const input = element(id).querySelector(`input[name="${name}"]`)
  if (!(input instanceof HTMLInputElement)) throw new Error(`${id} has no field ${name}`)
  return input
}

/**
 * Calls `act` with what was entered whenever the form of a section is sent, and tells what went wrong. A second click
 * meanwhile does nothing.
 *
 * @param {string} id of a section
 * @param {(entered: Record<string, string>) => Promise<Outcome | void>} act returns what is still to be told
 */
export function onSubmit(id, act) {
  const form = element(id).querySelector('form')
  const button = form?.querySelector('button[type="submit"]')
  let isBusy = false
  form?.addEventListener('submit', async (event) => {
    event.preventDefault()
    if (isBusy) return
    isBusy = true
    // Not disabled: that would take the focus away.
    button?.setAttribute('aria-disabled', 'true')
    say('')
    const entered = [...new FormData(form)].map(([name, value]) => [name, String(value)])
    tell(id, (await act(Object.fromEntries(entered))) ?? undefined)
    button?.removeAttribute('aria-disabled')
    isBusy = false
  })
}

/**
 * Tells the faults of fields beside them, and the rest below the form. The first wrong field gets the focus.
 *
 * @param {string} id of a section
 * @param {Outcome} [outcome]
 */
function tell(id, outcome) {
  /** @type {HTMLInputElement | undefined} */
  let first
  const rest = new Map((outcome?.errors ?? []).map(({ field, message }) => [field, message]))
  for (const input of element(id).querySelectorAll('input')) {
    const message = rest.get(input.name)
    rest.delete(input.name)
    const place = element(`${input.id}-error`)
    place.textContent = message === undefined ? '' : `This ${message}.`
    place.hidden = message === undefined
    input.setAttribute('aria-invalid', String(message !== undefined))
    if (message === undefined) continue
    const field = input.closest('.field')
    if (field instanceof HTMLElement) field.hidden = false
    first ??= input
  }
  first?.focus()
  if (!outcome?.code || (first && rest.size === 0)) return
  say([outcome.text, ...rest.values()].join(' '))
}

for (const place of document.querySelectorAll('[data-service]')) place.textContent = location.host
