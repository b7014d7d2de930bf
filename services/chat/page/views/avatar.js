import { make } from './dom.js'

/**
 * The initials of somebody on a colour that their id decides. Nothing for screen readers, and no text that is
 * copied: the name stands beside it.
 *
 * @param {{ user_id: string, username: string }} person
 */
export function avatar({ user_id, username }) {
  const made = make('span', { class: 'avatar', 'aria-hidden': 'true', 'data-initials': initials(username) })
  made.style.setProperty('--hue', String(hueOf(user_id)))
  return made
}

/** @param {string} name */
function initials(name) {
  const words = name.split(/[\s._-]+/).filter((word) => word !== '')
  const chosen = words.length > 1 ? [words[0], words.at(-1)] : [words[0]]
  return chosen
    .map((word = '?') => [...word][0] ?? '?')
    .join('')
    .toLocaleUpperCase()
}

/** @param {string} id */
function hueOf(id) {
  let sum = 0
  for (const letter of id) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 360
  return sum
}
