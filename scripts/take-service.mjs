/** @typedef {'auth' | 'chat'} Audited the services that have a database */

/**
 * Takes `--service NAME` out of the words of a command.
 *
 * @param {string[]} words
 * @returns {{ service: Audited, words: string[] }} auth by default
 * @throws {Error} if it names no service that has an audit log
 */
export function takeService(words) {
  const at = words.findIndex((word) => /^--service(=|$)/.test(word))
  const option = words[at]
  if (option === undefined) return { service: 'auth', words }
  const isOneWord = option.includes('=')
  const name = isOneWord ? option.slice(option.indexOf('=') + 1) : words[at + 1]
  if (name !== 'auth' && name !== 'chat')
    throw new Error(
      `--service is auth or chat: ${name ? `${name} has no audit log` : 'it names whose audit log it is'}.`
    )
  return { service: name, words: words.toSpliced(at, isOneWord ? 1 : 2) }
}
