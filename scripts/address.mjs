/**
 * The URL of a service, for requests from this machine.
 *
 * @param {string} host the address that it listens on
 * @param {string} port
 */
export function addressOf(host, port) {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`
}
