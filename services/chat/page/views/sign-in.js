import { element, input } from './dom.js'

/** @typedef {import('../net/http.js').Outcome} Outcome */

const FIELDS = ['email', 'username', 'password']

/** Codes that are about one field. @type {Readonly<Record<string, string>>} */
const FIELD_OF = { email_taken: 'email' }

const WORDS = {
  in: {
    title: 'Sign in',
    button: 'Sign in',
    text: 'New here?',
    other: 'Make an account',
    password: 'current-password'
  },
  up: { title: 'Make an account', button: 'Sign up', text: 'Known here?', other: 'Sign in', password: 'new-password' }
}

/**
 * The form to sign in or up.
 *
 * @param {import('../net/session.js').Session} session
 * @param {() => void} done somebody has signed in
 */
export function signInView(session, done) {
  /** @type {'in' | 'up'} */
  let mode = 'in'
  let isBusy = false

  /** @param {'in' | 'up'} next */
  function become(next) {
    mode = next
    const words = WORDS[mode]
    element('sign-in-title').textContent = words.title
    element('sign-in-button').textContent = words.button
    element('other-text').textContent = words.text
    element('other-mode').textContent = words.other
    element('username-field').hidden = mode === 'in'
    input('password').setAttribute('autocomplete', words.password)
    tell(undefined)
  }

  element('other-mode').addEventListener('click', () => {
    become(mode === 'in' ? 'up' : 'in')
    input('email').focus()
  })

  element('sign-in-form').addEventListener('submit', async (event) => {
    event.preventDefault()
    if (isBusy) return
    isBusy = true
    element('sign-in-button').setAttribute('aria-disabled', 'true')
    tell(await act())
    element('sign-in-button').removeAttribute('aria-disabled')
    isBusy = false
  })

  /** @returns {Promise<Outcome | undefined>} what is to be told */
  async function act() {
    const entered = {
      email: input('email').value,
      username: input('username').value,
      password: input('password').value
    }
    if (mode === 'up') {
      const made = await session.signUp(entered)
      if (made.code !== undefined) return made
      if (made.status === 202) {
        become('in')
        notice('Look into your mailbox: a mail with a code is on its way. Then sign in here.')
        return undefined
      }
    }
    const signedIn = await session.signIn(entered)
    if (signedIn.code !== undefined) return signedIn
    input('password').value = ''
    become('in')
    done()
    return undefined
  }

  return {
    /** @param {string} text why somebody has to sign in */
    show(text) {
      notice(text)
      tell(undefined)
      const first = input('email').value === '' ? 'email' : 'password'
      input(first).focus()
    }
  }
}

/** @param {string} text */
function notice(text) {
  element('sign-in-notice').textContent = text
  element('sign-in-notice').hidden = text === ''
}

/**
 * Tells the faults of fields beside them, the rest above the button. The first wrong field gets the focus.
 *
 * @param {Outcome | undefined} outcome
 */
function tell(outcome) {
  const faults = new Map((outcome?.errors ?? []).map(({ field, message }) => [field, `This ${message}.`]))
  const named = FIELD_OF[outcome?.code ?? '']
  if (named && outcome) faults.set(named, outcome.text)
  for (const name of FIELDS) {
    const text = faults.get(name)
    element(`${name}-error`).textContent = text ?? ''
    element(`${name}-error`).hidden = text === undefined
    input(name).setAttribute('aria-invalid', String(text !== undefined))
  }
  element('sign-in-error').textContent = outcome && faults.size === 0 ? outcome.text : ''
  const first = FIELDS.find((name) => faults.has(name))
  if (first) input(first).focus()
}
