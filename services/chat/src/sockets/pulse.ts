import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'

/** How long a client may take nothing of what waits for it, in milliseconds. */
const LONGEST_STANDSTILL = 30_000

/** What is looked at of a connection: how many bytes were written, and how many of these wait still. */
type Carried = Pick<Socket, 'bytesWritten' | 'writableLength'> & {
  readonly _handle?: { readonly writeQueueSize?: number } | null
}

/** Whether a client is there: it speaks, at least when it is asked, and takes what is sent. */
export class Pulse {
  readonly #socket: Pick<WebSocket, 'bufferedAmount' | 'readyState' | 'OPEN' | 'ping'>
  readonly #connection: Carried
  readonly #heartbeat: number
  readonly #now: () => number
  #heardAt: number
  #isAsked = false
  #taken = -1
  #takenAt: number

  /**
   * `connection` is that of the socket; `heartbeat` in milliseconds. `now` is a clock that only goes forward, in
   * milliseconds; by default the system's.
   */
  constructor(
    socket: Pick<WebSocket, 'bufferedAmount' | 'readyState' | 'OPEN' | 'ping'>,
    connection: Carried,
    heartbeat: number,
    now: () => number = () => performance.now()
  ) {
    this.#socket = socket
    this.#connection = connection
    this.#heartbeat = heartbeat
    this.#now = now
    this.#heardAt = now()
    this.#takenAt = now()
  }

  /** A frame came, of whatever kind. */
  heard(): void {
    this.#heardAt = this.#now()
    this.#isAsked = false
  }

  /**
   * Whether the client is still there. Asks it with a ping after one heartbeat of silence, and gives it up after two. While
   * the service itself does not read (`isDeaf`), silence means nothing.
   */
  beats(isDeaf: boolean): boolean {
    const now = this.#now()
    if (this.#standsStill(now)) return false
    if (isDeaf) this.heard()
    const silence = now - this.#heardAt
    if (silence >= 2 * this.#heartbeat) return false
    if (silence >= this.#heartbeat && !this.#isAsked && this.#socket.readyState === this.#socket.OPEN) {
      this.#isAsked = true
      this.#socket.ping()
    }
    return true
  }

  #standsStill(now: number): boolean {
    const taken = takenOf(this.#connection)
    if (taken === this.#taken && this.#socket.bufferedAmount > 0) return now - this.#takenAt >= LONGEST_STANDSTILL
    this.#taken = taken
    this.#takenAt = now
    return false
  }
}

// It changes whenever the system takes bytes. What is written at once counts when all of it is taken, so the queue of the
// handle is looked at too: a slow client takes a page for minutes.
function takenOf(connection: Carried): number {
  return connection.bytesWritten - connection.writableLength - (connection._handle?.writeQueueSize ?? 0)
}
