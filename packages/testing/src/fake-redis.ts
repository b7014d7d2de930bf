import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

/** A server that speaks as Redis does, and says what a test wants. */
export interface FakeRedis {
  readonly port: number
  readonly url: string
  /** Each command that came, in one line. */
  readonly commands: string[]
  /** Those that are open. */
  readonly sockets: Set<Socket>
  /** How many there were. */
  connections(): number
  /** Resolves when none is open. */
  untilClosed(): Promise<void>
}

/** Answers each command by its name, such as `+OK`, now or later; with undefined it stays silent. */
export async function startFakeRedis(
  t: Test,
  answer: (name: string) => string | undefined | Promise<string>
): Promise<FakeRedis> {
  const commands: string[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((socket) => {
    connections += 1
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    socket.setEncoding('utf8').on('data', (text: string) => {
      for (const [, words = ''] of text.matchAll(/\*\d+\r\n((?:\$\d+\r\n[^\r]*\r\n)+)/g)) {
        const command = [...words.matchAll(/\$\d+\r\n([^\r]*)\r\n/g)].map(([, word]) => word)
        commands.push(command.join(' '))
        void Promise.resolve(answer(command[0] ?? '')).then((line) => {
          if (line !== undefined) socket.write(`${line}\r\n`)
        })
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const untilClosed = async () => {
    for (const socket of sockets) await once(socket, 'close')
  }
  return { port, url: `redis://127.0.0.1:${port}`, commands, sockets, connections: () => connections, untilClosed }
}
