import { once } from 'node:events'
import type { Test } from 'tap'
import { RedisConnection } from '../src/redis-connection.ts'

/** A connection, and what it told. */
export class WatchedRedis extends EventTarget {
  readonly missed: unknown[] = []
  readonly warned: unknown[] = []
  readonly messages: string[] = []
  readies = 0
  readonly connection: RedisConnection

  constructor(t: Test, url: string) {
    super()
    const told = () => this.dispatchEvent(new Event('told'))
    this.connection = new RedisConnection({
      url,
      name: 'latchkey-test',
      log: { warn: (text: unknown) => void this.warned.push(text) } as never,
      missed: (error) => {
        this.missed.push(error)
        told()
      },
      ready: () => {
        this.readies += 1
        told()
      },
      message: (channel, text) => {
        this.messages.push(`${channel} ${text}`)
        told()
      }
    })
    t.teardown(() => this.connection.close())
  }

  /** Opens it; resolves when it is ready or the first attempt failed. */
  static async open(t: Test, url: string): Promise<WatchedRedis> {
    const watched = new WatchedRedis(t, url)
    await watched.connection.open()
    return watched
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await once(this, 'told')
  }
}
