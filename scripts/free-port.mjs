import { once } from 'node:events'
import { createServer } from 'node:net'

/** The ports that this process has used already: the system may give out a returned port again. */
const had = new Set()

/** @returns {Promise<number>} a port of the loopback interface that was free a moment ago; another one each time */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  await once(server.close(), 'close')
  if (had.has(port)) return freePort()
  had.add(port)
  return port
}
