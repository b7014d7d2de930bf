import { make } from './dom.js'

/** Addresses of the web. What ends a sentence or a bracket after one is no part of it. */
const ADDRESS = /https?:\/\/[^\s<>"]*[^\s<>".,:;!?)\]}'’”]/g

/**
 * A text, with its web addresses as links.
 *
 * @param {string} text
 * @returns {(string | HTMLElement)[]}
 */
export function withLinks(text) {
  /** @type {(string | HTMLElement)[]} */
  const parts = []
  let end = 0
  for (const { 0: address, index } of text.matchAll(ADDRESS)) {
    if (!URL.canParse(address)) continue
    parts.push(text.slice(end, index), link(address))
    end = index + address.length
  }
  return [...parts, text.slice(end)]
}

/** @param {string} href */
function link(href) {
  return make('a', { href, target: '_blank', rel: 'noopener noreferrer nofollow' }, href)
}
