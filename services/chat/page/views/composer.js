import { element } from './dom.js'

/** From so many characters before the limit on, it is told how many are left. */
const NEAR = 200

/**
 * Where messages are written: Enter sends, Shift+Enter breaks the line. What is typed stays with its room.
 *
 * @param {import('../rooms/chat.js').Chat} chat
 * @param {() => void} sent
 */
export function composer(chat, sent) {
  const form = element('composer')
  const text = /** @type {HTMLTextAreaElement} */ (element('text'))

  function changed() {
    if (chat.current) chat.current.draft = text.value
    text.style.height = 'auto'
    text.style.height = `${text.scrollHeight + text.offsetHeight - text.clientHeight}px`
    const left = chat.textLength - lengthOf(text.value)
    const words = left < 0 ? `${-left} characters too many` : `${left} characters left`
    element('counter').textContent = left < NEAR ? words : ''
    text.setAttribute('aria-invalid', String(left < 0))
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const room = chat.current
    if (!room || text.value.trim() === '' || lengthOf(text.value) > chat.textLength) return text.focus()
    chat.outbox.add(room.id, text.value)
    text.value = ''
    changed()
    sent()
    text.focus()
  })
  text.addEventListener('input', changed)
  text.addEventListener('keydown', (event) => {
    // Enter also ends the choice of an input method; that is no Enter of ours.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
    event.preventDefault()
    if (form instanceof HTMLFormElement) form.requestSubmit()
  })
  chat.opened.on((room) => {
    text.value = room?.draft ?? ''
    changed()
  })
  // Others would lose what waits here.
  addEventListener('beforeunload', (event) => {
    if (chat.outbox.unsent.some(({ state }) => state === 'waiting' || state === 'sending')) event.preventDefault()
  })
}

/** Characters as the service counts them. @param {string} text */
function lengthOf(text) {
  return [...text].length
}
