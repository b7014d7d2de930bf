import { once } from 'node:events'
import { createServer } from 'node:net'

/** The ports that this process has used already: the system may give out a returned port again. */
const had = new Set()

/** @returns {Promise<number>} a port of the loopback interface that was free a moment ago; another one each time */
export async function freePort() {
  const port = await tryPort(0)
  if (had.has(port)) return freePort()
  had.add(port)
  return port
}

/** @returns {Promise<number>} such a port, and the one after it is free too: a service of npm start has its metrics there */
export async function freePortAndNext() {
  const port = await freePort()
  const next = had.has(port + 1) ? 0 : await tryPort(port + 1).catch(() => 0)
  if (next === 0) return freePortAndNext()
  had.add(next)
  return port
}

/**
 * @param {number} wanted 0 is any
 * @returns {Promise<number>} rejects if it is taken
 */
async function tryPort(wanted) {
  const server = createServer().listen(wanted, '127.0.0.1')
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  await once(server.close(), 'close')
  return port
}
