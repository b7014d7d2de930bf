import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'

/** A message that the chat has acknowledged. */
export interface Acknowledged {
  readonly room: string
  readonly seq: number
  readonly client_id: string
  readonly text: string
}

interface Frame {
  readonly type: string
  readonly id?: number
  readonly room: string
  readonly seq: number
  readonly events?: readonly { readonly seq: number }[]
  readonly code?: string
}

/** Longest wait for an answer, in milliseconds: then the connection is given up and the message sent again. */
const PATIENCE = 5000

/**
 * A client of the chat that does what PROTOCOL.md says: it comes back after each loss, resumes after the last event that it
 * has seen, and sends what was not acknowledged again under the same `client_id`.
 */
export class Talker {
  readonly acknowledged: Acknowledged[] = []
  /** The numbers of the events that came, by room, as they came. */
  readonly heard = new Map<string, number[]>()
  /** How often it connected. */
  connected = 0
  readonly #urlOf: () => string
  readonly #token: string
  readonly #rooms: readonly string[]
  #socket: WebSocket | undefined
  readonly #waiting = new Map<number, (frame: Frame | undefined) => void>()
  #asked = 0
  #isOver = false
  #connecting: Promise<void> | undefined

  constructor(urlOf: () => string, token: string, rooms: readonly string[]) {
    this.#urlOf = urlOf
    this.#token = token
    this.#rooms = rooms
    for (const room of rooms) this.heard.set(room, [])
  }

  /** Sends messages one after the other, until `isOver` says so. */
  async talk(name: string, isOver: () => boolean): Promise<void> {
    for (let n = 0; !isOver(); n += 1) {
      const room = this.#rooms[n % this.#rooms.length] as string
      const message = { room, client_id: randomUUID(), text: `${name} ${n}` }
      this.acknowledged.push({ ...message, seq: await this.#send(message) })
      await sleep(20 + Math.random() * 30)
    }
  }

  /** Waits until it has heard of all rooms up to these numbers, then leaves. */
  async hear(heads: ReadonlyMap<string, number>): Promise<void> {
    while ([...heads].some(([room, head]) => (this.heard.get(room)?.at(-1) ?? 0) < head)) {
      await this.#connection()
      await sleep(50)
    }
    this.#isOver = true
    this.#socket?.close(1000)
  }

  async #send(message: object): Promise<number> {
    for (;;) {
      const answer = await this.#ask({ type: 'send', ...message })
      if (answer?.type === 'ok') return answer.seq
      if (answer?.code !== undefined && !['unavailable', 'too_many_requests'].includes(answer.code)) {
        throw new Error(`refused: ${JSON.stringify(answer)}`)
      }
      await sleep(100)
    }
  }

  // Nothing, if the connection is lost or says nothing.
  async #ask(request: object): Promise<Frame | undefined> {
    const socket = await this.#connection()
    this.#asked += 1
    const id = this.#asked
    return new Promise((resolve) => {
      const late = setTimeout(() => socket.terminate(), PATIENCE)
      this.#waiting.set(id, (frame) => {
        clearTimeout(late)
        this.#waiting.delete(id)
        resolve(frame)
      })
      socket.send(JSON.stringify({ id, ...request }))
    })
  }

  async #connection(): Promise<WebSocket> {
    while (this.#socket?.readyState !== WebSocket.OPEN) {
      this.#connecting ??= this.#connect().finally(() => {
        this.#connecting = undefined
      })
      await this.#connecting
    }
    return this.#socket
  }

  async #connect(): Promise<void> {
    const socket = new WebSocket(`${this.#urlOf().replace('http', 'ws')}/ws`, {
      headers: { authorization: `Bearer ${this.#token}` },
      handshakeTimeout: PATIENCE
    })
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.on('open', () => resolve(true)).on('error', () => resolve(false))
    })
    if (!isOpen) {
      await sleep(100)
      return
    }
    this.#socket = socket
    this.connected += 1
    socket.on('message', (data) => this.#take(JSON.parse(String(data))))
    socket.on('close', () => {
      for (const answer of [...this.#waiting.values()]) answer(undefined)
      if (!this.#isOver) void this.#connection()
    })
    for (const [index, room] of this.#rooms.entries()) {
      const after = this.heard.get(room)?.at(-1) ?? 0
      socket.send(JSON.stringify({ id: `s${index}`, type: 'subscribe', room, after }))
    }
  }

  #take(frame: Frame): void {
    if (frame.type === 'events') for (const { seq } of frame.events ?? []) this.heard.get(frame.room)?.push(seq)
    if (typeof frame.id === 'number') this.#waiting.get(frame.id)?.(frame)
    // It could not subscribe now: it comes again.
    if (frame.type === 'error' && typeof frame.id === 'string') this.#socket?.terminate()
  }
}
