import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'

/** How instances tell each other that a room has news. It carries no content, and nothing depends on it but speed. */
export interface Notices {
  /** Tells the other instances that a room has events up to this number. Waits for nothing. */
  publish(room: string, seq: number): void
  /** Asks for the notices of a room; resolves when they come, or when it is known that none can now. */
  subscribe(room: string): Promise<void>
  unsubscribe(room: string): void
}

/** Where notices go. */
export interface NoticeListener {
  /** Another instance has committed events up to this number. */
  hint(room: string, seq: number): void
  /** Notices come again, after some may have been lost. */
  back(): void
}

/** Without Redis nobody tells, and the heads of rooms are looked at. */
export const NO_NOTICES: Notices = { publish: () => {}, subscribe: async () => {}, unsubscribe: () => {} }

const CHANNEL = 'latchkey:chat:room:'

/** Tells and hears by Redis or Valkey; `subscriber` is a connection of its own, which does nothing else. */
export function redisNotices(commands: Redis, subscriber: Redis, listener: NoticeListener): Notices {
  // Its own notices say what it knows.
  const instance = randomUUID()
  subscriber.on('message', (channel: string, text: string) => {
    const [from, seq] = text.split(' ')
    if (channel.startsWith(CHANNEL) && from !== instance) listener.hint(channel.slice(CHANNEL.length), wholeOf(seq))
  })
  subscriber.on('ready', () => listener.back())
  return {
    publish: (room, seq) => {
      commands.publish(`${CHANNEL}${room}`, `${instance} ${seq}`).catch(() => {})
    },
    // While Redis is away this fails at once; ioredis subscribes again to all rooms when it is back.
    subscribe: async (room) => {
      await subscriber.subscribe(`${CHANNEL}${room}`).catch(() => {})
    },
    unsubscribe: (room) => {
      subscriber.unsubscribe(`${CHANNEL}${room}`).catch(() => {})
    }
  }
}

// Whoever can write to Redis can cause a read of the table, and no more.
function wholeOf(text = ''): number {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : 0
  return number
}
