import { randomUUID } from 'node:crypto'
import type { RedisConnections } from '@latchkey/frame/redis'

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

/** Tells and hears by Redis or Valkey. */
export function redisNotices(redis: RedisConnections, listener: NoticeListener): Notices {
  // Its own notices say what it knows.
  const instance = randomUUID()
  redis.onMessage((channel, text) => {
    const [from, seq] = text.split(' ')
    if (from !== instance) listener.hint(channel.slice(CHANNEL.length), seqOf(seq))
  })
  redis.onBack(() => listener.back())
  return {
    // What fails is told in the log by whoever connects.
    publish: (room, seq) => {
      redis.publish(`${CHANNEL}${room}`, `${instance} ${seq}`).catch(() => {})
    },
    subscribe: (room) => redis.subscribe(`${CHANNEL}${room}`),
    unsubscribe: (room) => redis.unsubscribe(`${CHANNEL}${room}`)
  }
}

// Whoever can write to Redis can cause a read of the table, and no more.
function seqOf(text = ''): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : 0
}
