import { once } from 'node:events'
import type { Test } from 'tap'
import { WebSocket } from 'ws'
import type { Chat, User } from './app.ts'
import { portOf, type Received } from './socket.ts'

/** A socket of a test that speaks graphql-transport-ws, message by message. */
export class GraphqlClient {
  readonly socket: WebSocket
  readonly messages: Received[] = []
  readonly closed: Promise<{ code: number; reason: string }>
  #id = 0

  constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (data) => this.messages.push(JSON.parse(String(data))))
    socket.on('error', () => {})
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => resolve({ code, reason: String(reason) }))
    })
  }

  send(message: object): void {
    this.socket.send(JSON.stringify(message))
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

  /** Says who it is; resolves with the answer. */
  greet(payload: object): Promise<Received> {
    this.send({ type: 'connection_init', payload })
    return this.until(({ type }) => type === 'connection_ack')
  }

  /** Begins an operation; returns its id. */
  begin(query: string, variables?: object): string {
    this.#id += 1
    const id = String(this.#id)
    this.send({ id, type: 'subscribe', payload: { query, ...(variables && { variables }) } })
    return id
  }

  /** The first message of an operation. */
  async ask(query: string, variables?: object): Promise<Received> {
    const id = this.begin(query, variables)
    return this.until((message) => message['id'] === id)
  }

  /** Listens to a room; returns the id. */
  listen(room: string, after?: number): string {
    const query = 'subscription ($room: ID!, $after: Int) { roomEvents(room: $room, after: $after) { seq kind text } }'
    return this.begin(query, { room, ...(after !== undefined && { after }) })
  }

  /** The numbers of the events of a subscription, as they came. */
  seqs(id: string): number[] {
    const events = this.messages.filter(({ type, ...message }) => type === 'next' && message['id'] === id)
    return events.map(({ payload }) => payload.data.roomEvents.seq)
  }
}

/** Begins to open a socket at /graphql. It is cut at the end of the test. */
export async function dialGraphql(
  t: Test,
  chat: Chat,
  {
    query = '',
    protocols = ['graphql-transport-ws'],
    headers = {}
  }: { query?: string; protocols?: string[]; headers?: Record<string, string> } = {}
): Promise<GraphqlClient> {
  const socket = new WebSocket(`ws://127.0.0.1:${await portOf(chat)}/graphql${query}`, protocols, { headers })
  t.teardown(() => socket.terminate())
  return new GraphqlClient(socket)
}

/** Opens a socket at /graphql and says who it is. */
export async function connectGraphql(t: Test, chat: Chat, user: User): Promise<GraphqlClient> {
  const client = await dialGraphql(t, chat)
  await once(client.socket, 'open')
  await client.greet({ token: user.token })
  return client
}
