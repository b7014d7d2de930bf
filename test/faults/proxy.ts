import net, { type AddressInfo, type Socket } from 'node:net'
import type { Test } from 'tap'

/** Bytes of a message that the proxy looks for, and who sends it. */
export interface Trap {
  readonly from: 'client' | 'server'
  readonly text: string
}

/** Stands between the services and PostgreSQL, on a port that stays when the server gets another one. */
export interface DatabaseProxy {
  /** The server's URL with the proxy's port. */
  urlOf(server: string): string
  /** Sends further connections there. */
  connectTo(server: string): void
  /** Holds every byte back, for ever or until `flow`. */
  stall(): void
  flow(): void
  /** Resets all connections. */
  cut(): void
  /** Resets the next connection that carries the text, in the place of handing it on; resolves when it has. */
  cutAt(trap: Trap): Promise<void>
}

/** Starts a proxy, which is gone when the test ends. */
export async function startProxy(t: Test): Promise<DatabaseProxy> {
  const connections = new Set<[Socket, Socket]>()
  const traps = new Set<Trap & { sprung: () => void }>()
  let port = 0

  const server = net.createServer((client) => {
    const there = net.connect(port, '127.0.0.1')
    const both: [Socket, Socket] = [client, there]
    connections.add(both)
    for (const [from, to, name] of [[client, there, 'client'] as const, [there, client, 'server'] as const]) {
      from.on('error', () => {})
      from.on('close', () => {
        connections.delete(both)
        to.destroy()
      })
      from.on('data', (bytes) => {
        const trap = [...traps].find(({ from, text }) => from === name && bytes.includes(text))
        if (!trap) return void to.write(bytes)
        traps.delete(trap)
        reset(both)
        trap.sprung()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const cut = () => connections.forEach(reset)
  t.teardown(() => {
    server.close()
    cut()
  })

  const everySocket = () => [...connections].flat()
  return {
    urlOf: (url) => withPort(url, (server.address() as AddressInfo).port),
    connectTo: (url) => {
      port = Number(new URL(url).port)
    },
    stall: () => {
      for (const socket of everySocket()) socket.pause()
    },
    flow: () => {
      for (const socket of everySocket()) socket.resume()
    },
    cut,
    cutAt: (trap) => new Promise((sprung) => traps.add({ ...trap, sprung }))
  }
}

function reset(sockets: readonly Socket[]): void {
  for (const socket of sockets) socket.resetAndDestroy()
}

function withPort(url: string, port: number): string {
  const there = new URL(url)
  there.port = String(port)
  return there.href
}
