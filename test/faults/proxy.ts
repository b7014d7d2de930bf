import net, { type AddressInfo, type NetConnectOpts, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { addressOf } from '@latchkey/testing/database'
import type { Test } from 'tap'

/** Bytes of a message that the proxy looks for, and who sends it. */
export interface Trap {
  readonly from: 'client' | 'server'
  readonly text: string
}

/** Stands between the services and PostgreSQL, on a TCP port that stays wherever the server listens. */
export interface DatabaseProxy {
  /** The server's URL with the proxy's address. */
  urlOf(server: string): string
  /** Sends further connections there. */
  connectTo(server: string): void
  /** Hands on all that comes from now on so many milliseconds later, either way; 0 is at once. */
  delay(milliseconds: number): void
  /** Falls silent until `flow`: nothing is handed on, nobody hears of an end, and new connections get no answer. */
  stall(): void
  flow(): void
  /** Ends all connections in order, as a server does that closes. */
  cut(): void
  /** Resets all connections. */
  reset(): void
  /** Resets the next connection that carries the text, in the place of handing it on; resolves when it has. */
  resetAt(trap: Trap): Promise<void>
}

/** Starts a proxy, which is gone when the test ends. */
export async function startProxy(t: Test): Promise<DatabaseProxy> {
  const connections = new Set<[Socket, Socket]>()
  const traps = new Set<Trap & { sprung: () => void }>()
  const silence: { over: Promise<void>; end: () => void } = { over: Promise.resolve(), end: () => {} }
  let there: NetConnectOpts = { port: 0 }
  let late = 0

  const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true }, async (client) => {
    client.on('error', () => {})
    await silence.over
    if (!server.listening) return void client.destroy()
    const database = net.connect({ ...there, allowHalfOpen: true })
    const both: [Socket, Socket] = [client, database]
    connections.add(both)
    handOn(both, client, database, 'client')
    handOn(both, database, client, 'server')
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))

  function handOn(both: [Socket, Socket], from: Socket, to: Socket, name: Trap['from']): void {
    // One after the other, each not before its time and not while all is silent.
    let last = Promise.resolve()
    const then = (work: () => void) => {
      const due = Date.now() + late
      last = last
        .then(() => (due > Date.now() ? sleep(due - Date.now()) : undefined))
        .then(() => silence.over)
        .then(work)
    }
    from.on('error', () => {})
    from.on('data', (bytes) => {
      const trap = [...traps].find(({ from, text }) => from === name && bytes.includes(text))
      if (!trap) return then(() => void to.write(bytes))
      traps.delete(trap)
      resetBoth(both)
      trap.sprung()
    })
    from.on('end', () => then(() => void to.end()))
    from.on('close', () => {
      connections.delete(both)
      then(() => void to.destroy())
    })
    from.resume()
  }

  const flow = () => silence.end()
  const reset = () => connections.forEach(resetBoth)
  t.teardown(() => {
    server.close()
    flow()
    reset()
  })

  return {
    urlOf: (url) => Object.assign(new URL(url), { host: `127.0.0.1:${(server.address() as AddressInfo).port}` }).href,
    connectTo: (url) => {
      there = addressOf(url)
    },
    delay: (milliseconds) => {
      late = milliseconds
    },
    stall: () => {
      silence.over = new Promise((resolve) => {
        silence.end = resolve
      })
    },
    flow,
    cut: () => {
      for (const socket of [...connections].flat()) socket.end()
    },
    reset,
    resetAt: (trap) => new Promise((sprung) => traps.add({ ...trap, sprung }))
  }
}

function resetBoth([client, database]: readonly [Socket, Socket]): void {
  client.resetAndDestroy()
  // A Unix socket knows no reset.
  database.destroy()
}
