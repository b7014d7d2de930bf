import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { WebSocket } from 'ws'
import type { Chat, User } from './app.ts'

/** A message of the service. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into messages of every shape
export type Received = Record<string, any> & { readonly type: string }

/** How a socket is opened otherwise than by the token of its user in the header. */
export interface Opening {
  readonly query?: string
  readonly protocols?: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
  /** By whom instead. */
  readonly token?: string
}

/** A socket of a test: everything that came, and how it ended. */
export class Client {
  readonly socket: WebSocket
  readonly messages: Received[] = []
  readonly closed: Promise<{ code: number; reason: string }>
  #id = 0
  #seen = 0

  constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (data) => this.messages.push(JSON.parse(String(data))))
    socket.on('error', () => {})
    this.closed = once(socket, 'close').then(([code, reason]) => ({ code, reason: String(reason) }))
  }

  /** Waits until a message is there of which this holds. */
  async until(holds: (message: Received) => boolean): Promise<Received> {
    for (;;) {
      const found = this.messages.find(holds)
      if (found) return found
      if (this.socket.readyState >= WebSocket.CLOSING) throw new Error('the socket is closed')
      await Promise.race([once(this.socket, 'message'), this.closed])
    }
  }

  /** The next message of this type that nobody has asked for before. */
  async next(type: string): Promise<Received> {
    const from = this.#seen
    const found = await this.until((message) => message.type === type && this.messages.indexOf(message) >= from)
    this.#seen = this.messages.indexOf(found) + 1
    return found
  }

  /** Sends a request, and returns its answer. */
  async ask(type: string, input: object = {}): Promise<Received> {
    this.#id += 1
    const id = this.#id
    this.socket.send(JSON.stringify({ id, type, ...input }))
    return this.until((message) => message['id'] === id)
  }

  /** The numbers of all events of a room, as they came. */
  seqs(room: string): number[] {
    const frames = this.messages.filter(({ type, ...message }) => type === 'events' && message['room'] === room)
    return frames.flatMap(({ events }) => events.map(({ seq }: { seq: number }) => seq))
  }
}

/** Has a chat listen, once; returns its port. */
export async function portOf({ app }: Chat): Promise<number> {
  if (!app.server.listening) await app.listen({ port: 0, host: '127.0.0.1' })
  return (app.server.address() as AddressInfo).port
}

/** Begins to open a socket. It is cut at the end of the test. */
export async function dial(t: Test, chat: Chat, user: User | undefined, opening: Opening = {}): Promise<Client> {
  const { query = '', protocols = [], headers = {}, token = user?.token } = opening
  const authorization = token === undefined || query || protocols.length > 0 ? {} : { authorization: `Bearer ${token}` }
  const url = `ws://127.0.0.1:${await portOf(chat)}/ws${query}`
  const socket = new WebSocket(url, [...protocols], { headers: { ...authorization, ...headers } })
  t.teardown(() => socket.terminate())
  return new Client(socket)
}

/** Opens a socket and waits for its hello. */
export async function connect(t: Test, chat: Chat, user: User, opening: Opening = {}): Promise<Client> {
  const client = await dial(t, chat, user, opening)
  await client.next('hello')
  return client
}
