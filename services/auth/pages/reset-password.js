import { readLink } from './link.js'
import { element, fill, inputOf, onSubmit, show } from './page.js'
import { post } from './send.js'

function start() {
  const given = readLink()
  fill('choose', given)
  show('choose', given.email)
}

onSubmit('choose', async ({ email = '', code = '', new_password = '' }) => {
  // Browsers remember what was sent from fields of plain text.
  reveal(false)
  const outcome = await post('reset-password', { email, code, new_password })
  if (outcome.code === 'invalid_code') {
    inputOf('again', 'email').value = email
    return show('again')
  }
  if (outcome.code !== undefined) return outcome
  inputOf('choose', 'new_password').value = ''
  return show('done', email)
})

onSubmit('again', async ({ email = '' }) => {
  const outcome = await post('forgot-password', { email })
  return outcome.code === undefined ? show('sent', email) : outcome
})

const button = element('choose').querySelector('button.show')
button?.addEventListener('click', () => reveal(inputOf('choose', 'new_password').type === 'password'))

/** @param {boolean} isShown */
function reveal(isShown) {
  inputOf('choose', 'new_password').type = isShown ? 'text' : 'password'
  if (!button) return
  button.textContent = isShown ? 'Hide' : 'Show'
  button.setAttribute('aria-label', isShown ? 'Hide password' : 'Show password')
}

// The link of another mail in the same tab changes the fragment alone.
addEventListener('hashchange', () => {
  if (location.hash !== '') start()
})
start()
