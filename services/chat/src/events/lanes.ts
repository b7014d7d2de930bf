import { isToBeRepeated } from '@latchkey/database/errors'
import type { Database } from '@latchkey/database/pool'
import { count } from '@latchkey/events/emit'
import { unavailable } from '@latchkey/problems/problem'
import { rolesThatMay } from '../rules.ts'
import { appendMessage, appendMessages, type NewMessage, type Sent } from './append.ts'
import type { RoomEvent } from './event.ts'

/** Most messages of one statement. */
const BATCH = 100

/** Most messages that wait for one room at an instance: a few seconds of what a database can take. */
const MOST_WAITING = 5000

/** Most times that a statement is sent, if another at the same time is in its way. */
const MOST_ROUNDS = 3

/** Gets the events of a room that are committed, ascending. */
export type Committed = (room: string, events: readonly RoomEvent[]) => void

interface Waiting {
  readonly message: NewMessage
  resolve(sent: Sent): void
  reject(error: unknown): void
}

/**
 * Sends the messages of each room one statement after the other: what comes meanwhile goes together in the next. So a
 * busy room holds one connection and not the pool, and a write to disk carries up to a hundred messages.
 */
export class Lanes {
  readonly #database: Database
  readonly #committed: Committed
  readonly #waiting = new Map<string, Waiting[]>()
  readonly #roles = rolesThatMay('send')

  constructor(database: Database, committed: Committed) {
    this.#database = database
    this.#committed = committed
  }

  /**
   * Adds a message to its room; resolves when it is committed, with nothing if the sender may not send. Throws
   * `unavailable` if the database cannot take it now.
   */
  send(message: NewMessage): Promise<Sent> {
    const lane = this.#waiting.get(message.room)
    if (lane && lane.length >= MOST_WAITING) throw unavailable('too many messages wait for one room')
    return new Promise((resolve, reject) => {
      const waiting = { message, resolve, reject }
      if (lane) lane.push(waiting)
      else {
        this.#waiting.set(message.room, [waiting])
        void this.#run(message.room)
      }
    })
  }

  async #run(room: string): Promise<void> {
    for (;;) {
      const lane = this.#waiting.get(room) ?? []
      const batch = takeDistinct(lane)
      if (batch.length === 0) break
      await this.#write(room, batch)
    }
    this.#waiting.delete(room)
  }

  async #write(room: string, batch: readonly Waiting[]): Promise<void> {
    try {
      const sent = await this.#append(room, batch)
      const events = batch.flatMap(({ message }, index) => eventsOf(message, sent[index]))
      if (events.length > 0) {
        count('messages_committed', { messages: events.length })
        this.#committed(room, events)
      }
      for (const [index, { resolve }] of batch.entries()) resolve(sent[index])
    } catch (error) {
      if (batch.length > 1 && isDuplicate(error)) for (const one of batch) await this.#write(room, [one])
      else for (const { reject } of batch) reject(error)
    }
  }

  async #append(room: string, batch: readonly Waiting[]): Promise<Sent[]> {
    const messages = batch.map(({ message }) => message)
    const [first] = messages
    for (let round = 1; ; round += 1) {
      try {
        return messages.length === 1 && first
          ? [await appendMessage(this.#database, first, this.#roles)]
          : await appendMessages(this.#database, room, messages, this.#roles)
      } catch (error) {
        const isRepeatable = isToBeRepeated(error) || (messages.length === 1 && isDuplicate(error))
        if (round === MOST_ROUNDS || !isRepeatable) throw error
      }
    }
  }
}

// Up to the first that is there already: the same message twice goes in two statements.
function takeDistinct(lane: Waiting[]): Waiting[] {
  const seen = new Set<string>()
  const isNew = ({ message: { sender, client_id } }: Waiting) => {
    const name = `${sender.user_id} ${client_id}`
    const found = seen.has(name)
    seen.add(name)
    return !found
  }
  const end = lane.slice(0, BATCH).findIndex((waiting) => !isNew(waiting))
  return lane.splice(0, end === -1 ? BATCH : end)
}

function eventsOf({ sender, client_id, text }: NewMessage, sent: Sent): RoomEvent[] {
  if (!sent || sent.repeated) return []
  const { seq, created_at } = sent
  return [{ seq, kind: 'message', created_at: created_at.toISOString(), actor: sender, client_id, text }]
}

function isDuplicate(error: unknown): boolean {
  return (error as { code?: string }).code === '23505'
}
