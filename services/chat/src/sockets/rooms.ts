import type { Database } from '@latchkey/database/pool'
import { canonicalId } from '@latchkey/frame/ids'
import { Problem } from '@latchkey/problems/problem'
import type { ActionParts, Caller } from '../actions/action.ts'
import { recorded } from '../actions/perform.ts'
import { roomFor } from '../actions/standing.ts'
import type { Batch, Removal } from '../live/batch.ts'
import type { Live, Opened } from '../live/live.ts'
import type { Sink } from '../live/subscription.ts'
import type { Line } from './line.ts'

/** Most rooms that one socket listens to. */
export const MOST_ROOMS = 50

/** Who is further behind reads the history instead. */
const FARTHEST = 10_000

/** What rooms need. */
export interface RoomsParts {
  readonly database: Database
  readonly live: Live
  /** Records who was not let listen. */
  readonly refusals: ActionParts['refusals']
}

/** Where somebody wants to begin to listen. */
interface Wish {
  readonly room: string
  /** The last number that they have; none: from the head. */
  readonly after?: number
  /** The log of which that number is. */
  readonly stream?: string
}

/** A subscription that was made; `begin` is to be called after the answer was sent. */
interface Made {
  readonly output: { readonly room: string; readonly head: number; readonly stream: string }
  begin(): void
}

/** A subscription that goes on. */
interface Listening {
  readonly opened: Opened
  /** Allowed by the role `admin` of the token alone, because the user was no member. */
  readonly asAdmin: boolean
}

/** The rooms that one socket listens to. */
export class Rooms {
  readonly #parts: RoomsParts
  readonly #line: Line
  readonly #open = new Map<string, Listening>()
  #last: Promise<unknown> = Promise.resolve()
  #isClosed = false

  constructor(parts: RoomsParts, line: Line) {
    this.#parts = parts
    this.#line = line
  }

  /** Listens to a room; once more, it starts anew. Throws a Problem. */
  async subscribe(caller: Caller, { room, after, stream }: Wish): Promise<Made> {
    const { database, live, refusals } = this.#parts
    const id = canonicalId(room)
    if (!this.#open.has(id) && this.#open.size >= MOST_ROOMS) {
      throw new Problem('limit_reached', { detail: `A socket listens to at most ${MOST_ROOMS} rooms.` })
    }
    const {
      last_seq: head,
      since_seq,
      role
    } = await recorded({ refusals, name: 'subscribe', room: id }, caller, () => roomFor('read', database, caller, id))
    const current = await live.stream()
    this.unsubscribe(id)
    const sink = this.#sinkOf(id, caller.user_id)
    const opened = await live.subscribe({ room: id, sink, head, since: since_seq ?? head })
    if (this.#isClosed) opened.close()
    else this.#open.set(id, { opened, asAdmin: role === null })
    const isOfOther = stream !== undefined && canonicalId(stream) !== current
    const isReset = after !== undefined && (isOfOther || after > head || head - after > FARTHEST)
    return {
      output: { room: id, head, stream: current },
      begin: () => {
        if (isReset) this.#line.send({ type: 'reset', room: id, head, stream: current })
        opened.start(isReset || after === undefined ? head : after)
      }
    }
  }

  /** Listens to a room no more, if it did. */
  unsubscribe(room: string): void {
    const id = canonicalId(room)
    this.#open.get(id)?.opened.close()
    this.#open.delete(id)
  }

  /** Ends what the later token of the caller does not allow any more. Events end what needs membership. */
  judge({ isAdmin }: Caller): void {
    if (isAdmin) return
    for (const [room, { asAdmin }] of this.#open) {
      if (!asAdmin) continue
      this.unsubscribe(room)
      this.#line.send({ type: 'unsubscribed', room, reason: 'demoted' })
    }
  }

  /** Ends all. */
  close(): void {
    this.#isClosed = true
    for (const { opened } of this.#open.values()) opened.close()
    this.#open.clear()
  }

  #sinkOf(room: string, user_id: string): Sink {
    const line = this.#line
    return {
      user_id,
      isGood: () => line.isGood(),
      isBusy: () => line.isBusy(),
      deliver: (batch: Batch) => line.deliver(batch),
      inTurn: (work) => this.#inTurn(work),
      synced: (seq) => line.send({ type: 'synced', room, seq }),
      ended: (reason: Removal) => {
        this.unsubscribe(room)
        line.send({ type: 'unsubscribed', room, reason })
      },
      reset: async (head) => line.send({ type: 'reset', room, head, stream: await this.#parts.live.stream() })
    }
  }

  // One page at a time, whatever the number of rooms: else each would have one that waits for a slow client.
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work)
    this.#last = mine.catch(() => {})
    return mine
  }
}
