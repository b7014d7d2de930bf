import { once } from 'node:events'
import net from 'node:net'
import { type Database, openDatabase } from '@latchkey/database/pool'
import { addressOf } from '@latchkey/testing/database'
import type { Test } from 'tap'

/** Opens a database by a way that can be cut; `set(false)` cuts it, `set(true)` mends it. */
export async function openWay(
  t: Test,
  url: string
): Promise<{ database: Database<string>; set(isOpen: boolean): void }> {
  const sockets = new Set<net.Socket>()
  let isOpen = true
  const server = net.createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    if (!isOpen) return socket.destroy()
    const onward = net.connect(addressOf(url)).on('error', () => {})
    sockets.add(onward)
    return socket.pipe(onward).pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const set = (open: boolean) => {
    isOpen = open
    if (open) return
    for (const socket of sockets) socket.destroy()
    sockets.clear()
  }
  t.teardown(() => {
    set(false)
    server.close()
  })
  const { port } = server.address() as net.AddressInfo
  const through = Object.assign(new URL(url), { hostname: '127.0.0.1', port: String(port) })
  through.searchParams.delete('host')
  const database = openDatabase({ DATABASE_URL: through.href, DATABASE_POOL_SIZE: 2, ANSWER_TIMEOUT: 10 }, () => {})
  t.teardown(() => database.close())
  return { database, set }
}
