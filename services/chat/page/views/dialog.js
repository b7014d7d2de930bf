import { make } from './dom.js'

let count = 0

/**
 * Opens a dialog with a form. Esc and Cancel close it, and the focus goes back to where it was.
 *
 * @param {object} given
 * @param {string} given.title
 * @param {(Node | string)[]} given.content
 * @param {string} [given.confirm] the label of the button that acts; without one there is only Close
 * @param {boolean} [given.isDanger]
 * @param {(entered: Record<string, string>) => Promise<unknown>} [given.act] closes the dialog when it is done; what it throws
 *   is told in the dialog, faults of fields beside them
 * @param {() => void} [given.after] moves the focus once it is done, instead of back
 */
export function openDialog({ title, content, confirm, isDanger = false, act, after }) {
  count += 1
  const id = `dialog-${count}`
  const back = document.activeElement
  const refusal = make('p', { class: 'error', role: 'alert' })
  const cancel = make(
    'button',
    { type: 'button', class: confirm ? 'small' : 'small primary', onclick: () => dialog.close() },
    confirm ? 'Cancel' : 'Close'
  )
  const buttons = [
    cancel,
    ...(confirm ? [make('button', { type: 'submit', class: isDanger ? 'danger' : 'primary' }, confirm)] : [])
  ]
  const form = make(
    'form',
    { novalidate: true },
    make('h2', { id }, title),
    ...content,
    refusal,
    make('div', { class: 'actions' }, ...buttons)
  )
  const dialog = make('dialog', { 'aria-labelledby': id }, form)
  let isBusy = false

  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    if (isBusy || !act) return
    isBusy = true
    refusal.textContent = ''
    const entered = [...new FormData(form)].map(([name, value]) => [name, String(value)])
    await act(Object.fromEntries(entered)).then(
      () => dialog.close('done'),
      (error) => tell(error)
    )
    isBusy = false
  })

  /** @param {Error & { errors?: { field: string, message: string }[] }} error */
  function tell({ message, errors = [] }) {
    const faults = errors.map(({ field, message }) => `${labelOf(field)} ${message}.`)
    refusal.textContent = faults.length > 0 ? faults.join(' ') : message
    for (const { field } of errors) form.querySelector(`[name="${field}"]`)?.setAttribute('aria-invalid', 'true')
    const first = form.querySelector('[aria-invalid]')
    if (first instanceof HTMLElement) first.focus()
  }

  /** @param {string} field */
  function labelOf(field) {
    const found = form.querySelector(`[name="${field}"]`)
    return (found instanceof HTMLInputElement && found.labels?.[0]?.textContent) || 'This'
  }

  dialog.addEventListener('close', () => {
    dialog.remove()
    if (after && dialog.returnValue === 'done') after()
    else if (back instanceof HTMLElement && back.isConnected) back.focus()
  })
  document.body.append(dialog)
  dialog.showModal()
  return dialog
}

/**
 * A field of a dialog with its label.
 *
 * @param {string} label
 * @param {Record<string, string | boolean>} attributes with `name`
 */
export function field(label, attributes) {
  count += 1
  const id = `field-${count}`
  return make('div', { class: 'field' }, make('label', { for: id }, label), make('input', { id, ...attributes }))
}

/**
 * One of several choices of a dialog.
 *
 * @param {string} legend
 * @param {string} name
 * @param {{ value: string, label: string, aside?: string }[]} choices
 * @param {string} chosen
 */
export function choices(legend, name, choices, chosen) {
  const rows = choices.map(({ value, label, aside }) => {
    count += 1
    const id = `field-${count}`
    const box = make('input', { type: 'radio', name, value, id, checked: value === chosen })
    const words = make('label', { for: id }, label, ...(aside ? [make('span', { class: 'aside' }, aside)] : []))
    return make('div', { class: 'choice' }, box, words)
  })
  return make('fieldset', {}, make('legend', {}, legend), ...rows)
}
