import { make } from './dom.js'

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const WHOLE = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'short' })
const DAY = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' })
const OLD_DAY = new Intl.DateTimeFormat(undefined, { dateStyle: 'long' })

/**
 * The time of day, with the whole date for those who point at it.
 *
 * @param {string} moment RFC 3339
 */
export function clock(moment) {
  const date = new Date(moment)
  return make('time', { datetime: moment, title: WHOLE.format(date) }, CLOCK.format(date))
}

/**
 * A day as people name it.
 *
 * @param {string} moment
 * @param {Date} [now]
 */
export function dayOf(moment, now = new Date()) {
  const date = new Date(moment)
  const yesterday = new Date(now)
  yesterday.setDate(now.getDate() - 1)
  if (date.toDateString() === now.toDateString()) return 'Today'
  if (date.toDateString() === yesterday.toDateString()) return 'Yesterday'
  return (date.getFullYear() === now.getFullYear() ? DAY : OLD_DAY).format(date)
}

/**
 * A span as minutes and seconds.
 *
 * @param {number} milliseconds
 */
export function span(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000))
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)]
  const parts = hours > 0 ? [hours, pad(minutes), pad(seconds % 60)] : [minutes, pad(seconds % 60)]
  return parts.join(':')
}

/** @param {number} number */
function pad(number) {
  return String(number).padStart(2, '0')
}
