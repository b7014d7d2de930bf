import { once } from 'node:events'
import { createServer } from 'node:net'

/** What this process has had already: the system may give a port again that was given back. */
const had = new Set()

/** @returns {Promise<number>} a port of the loopback interface that was free a moment ago, another each time */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  await once(server.close(), 'close')
  if (had.has(port)) return freePort()
  had.add(port)
  return port
}
