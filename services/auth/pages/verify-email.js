import { readLink } from './link.js'
import { element, fill, inputOf, onSubmit, show } from './page.js'
import { post } from './send.js'

/** @typedef {import('./send.js').Outcome} Outcome */

// Nothing is sent before a click: programs that look at the links of mails run scripts too, and would use up the code.

/** The codes for which a change of address asks who is there. */
const WHO_IS_THERE = ['missing_token', 'invalid_token', 'token_expired', 'invalid_request']

let shown = { email: '', code: '' }

function start() {
  shown = readLink()
  fill('confirm', shown)
  show('confirm', shown.email)
}

/**
 * Sends the code. An access cookie lives for minutes and a refresh cookie for weeks, so it is renewed before anybody has
 * to sign in.
 *
 * @param {boolean} mayRenew
 * @returns {Promise<Outcome | void>} what is still to be told
 */
async function confirm(mayRenew = true) {
  const outcome = await post('verify-email', shown)
  if (outcome.code === undefined) return show('done', shown.email)
  if (outcome.code === 'invalid_code') return askForAnother()
  if (WHO_IS_THERE.includes(outcome.code)) {
    if (mayRenew && (await post('refresh')).code === undefined) return confirm(false)
    return show('sign-in')
  }
  if (outcome.code !== 'email_taken') return outcome
  return { ...outcome, text: `Another account has the address ${shown.email} by now, so yours keeps the old one.` }
}

function askForAnother() {
  inputOf('again', 'email').value = shown.email
  show('again')
}

onSubmit('confirm', ({ email = '', code = '' }) => {
  shown = { email, code }
  return confirm()
})

onSubmit('sign-in', async ({ email = '', password = '' }) => {
  const outcome = await post('signin', { email, password })
  if (outcome.code !== undefined) return outcome
  inputOf('sign-in', 'password').value = ''
  const last = await confirm()
  // Who only came to confirm an address leaves nobody signed in on this device.
  await post('logout')
  return last
})

onSubmit('again', async ({ email = '' }) => {
  const outcome = await post('verify-email/resend', { email })
  return outcome.code === undefined ? show('sent', email) : outcome
})

// The link of another mail in the same tab changes the fragment alone.
addEventListener('hashchange', () => {
  if (location.hash !== '') start()
})
element('confirm').querySelector('form')?.reset()
start()
