import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { logIn, type RedisClient, type RedisLibrary, type RedisPlace, redisClient, redisPlace } from './redis-client.ts'
import { inTime, REDIS_PAUSE, REDIS_TIMEOUT } from './redis-time.ts'

/** Most commands that wait for their answers, about 3 MB; further ones fail at once. */
const MAX_WAITING = 10_000

/** What a connection needs, and whom it tells. */
export interface ConnectionSettings {
  readonly url: string
  /** For the operator of the server. */
  readonly name: string
  readonly log: Pick<FastifyBaseLogger, 'warn'>
  /** The connection was lost, or an attempt failed. */
  missed(error: unknown): void
  /** It is connected, and subscribed to all channels. */
  ready?(): void
  /** Redis took a command of this name, or refused it with this error. */
  answered?(command: string, refusal?: unknown): void
  /** A message came by a channel that is subscribed to. */
  message?(channel: string, text: string): void
}

/**
 * One connection to Redis or Valkey. While the server is away commands fail at once, and it is tried again without end:
 * an attempt takes up to 1.5 s if the server is silent, and the pause after it is at most 2 s. Afterwards all channels are
 * subscribed to again.
 *
 * A server that does not answer a look is away too. The client's own attempts would wait for it without end, so each
 * attempt has a client of its own.
 */
export class RedisConnection {
  readonly #settings: ConnectionSettings
  readonly #channels = new Set<string>()
  /** Ends what runs now: one client, or the pause after it. */
  #stage = new AbortController()
  #client: RedisClient | undefined
  #isRefusal: (error: unknown) => boolean = () => false
  #waiting = 0
  #isReady = false
  #isClosed = false
  #isDoubted = false

  constructor(settings: ConnectionSettings) {
    this.#settings = settings
  }

  /** Whether it is connected, and subscribed to all channels. */
  get isReady(): boolean {
    return this.#isReady
  }

  /** Connects; resolves when it is ready, or after the first failed attempt. Rejects if the URL cannot be read. */
  async open(): Promise<void> {
    // Loaded only here: it takes a tenth of a start, and a service without Redis does not install it.
    // Of a package in the older form that is in a bundle, only the default can be loaded later.
    const { default: library } = await import('@redis/client')
    this.#isRefusal = (error) => error instanceof library.ErrorReply
    const place = redisPlace(library, this.#settings.url)
    await new Promise<void>((resolve) => this.#keep(library, place, resolve))
  }

  /** Sends a command. Rejects if Redis is away, refuses, or does not answer within half a second. */
  async send(...command: string[]): Promise<unknown> {
    if (this.#waiting >= MAX_WAITING) throw new Error('Redis is too slow')
    return this.#ask(command[0] ?? '', (client) => client.sendCommand(command))
  }

  /**
   * Asks for the messages of a channel; resolves when they come, or when it is known that none can now. A refusal is told
   * by `answered`.
   */
  async subscribe(channel: string): Promise<void> {
    this.#channels.add(channel)
    await this.#ask('SUBSCRIBE', (client) => client.subscribe(channel, this.#hear)).catch(() => {})
  }

  unsubscribe(channel: string): void {
    this.#channels.delete(channel)
    // Of one that is asked for again before this is answered, the client sends nothing.
    const asked = () => (this.#channels.has(channel) ? this.subscribe(channel) : undefined)
    this.#ask('UNSUBSCRIBE', (client) => client.unsubscribe(channel, this.#hear).then(asked)).catch(() => {})
  }

  /** Ends the connection at once, and whatever waits for it. */
  close(): void {
    this.#isClosed = true
    this.#stage.abort()
  }

  readonly #hear = (text: string, channel: string) => {
    if (this.#channels.has(channel)) this.#settings.message?.(channel, text)
  }

  async #ask(command: string, question: (client: RedisClient) => Promise<unknown>): Promise<unknown> {
    if (!this.#client) throw new Error('Redis is away')
    this.#waiting += 1
    const answer = question(this.#client).finally(() => {
      this.#waiting -= 1
    })
    return inTime(this.#told(command, answer), REDIS_TIMEOUT)
  }

  /** Tells whether Redis took a command or refused it; nothing if the connection ended. */
  async #told(command: string, asked: Promise<unknown>): Promise<unknown> {
    try {
      const answer = await asked
      this.#settings.answered?.(command)
      return answer
    } catch (error) {
      if (this.#isRefusal(error)) this.#settings.answered?.(command, error)
      throw error
    }
  }

  /** Resolves if the server answers, be it with a refusal: a user may have no right even to look. */
  async #answered(asked: Promise<unknown>): Promise<void> {
    await asked.catch((error) => {
      if (!this.#isRefusal(error)) throw error
    })
  }

  // Never rejects.
  async #keep(library: RedisLibrary, place: RedisPlace, tried: () => void): Promise<void> {
    let failures = 0
    const ready = () => {
      failures = 0
      this.#isReady = true
      this.#settings.ready?.()
      tried()
    }
    while (!this.#isClosed) {
      const error = await this.#useOne(library, place, ready)
      if (!this.#isClosed) this.#settings.missed(error)
      tried()
      failures += 1
      await this.#pause(Math.min(failures * 100, REDIS_PAUSE))
    }
    tried()
  }

  /** Connects and stays until the connection is lost or closed; resolves with the error. */
  async #useOne(library: RedisLibrary, place: RedisPlace, ready: () => void): Promise<unknown> {
    const stage = new AbortController()
    this.#stage = stage
    const client = redisClient(library, place, stage.signal)
    client.on('error', (error) => stage.abort(error))
    try {
      await inTime(client.connect(), 2 * REDIS_TIMEOUT)
      await inTime(this.#logIn(library, client, place), REDIS_TIMEOUT)
      stage.signal.throwIfAborted()
      this.#client = client
      await this.#subscribeAgain(client)
      stage.signal.throwIfAborted()
      ready()
      for (;;) {
        await sleep(REDIS_PAUSE, undefined, { signal: stage.signal })
        await inTime(this.#answered(client.sendCommand(['PING'])), REDIS_PAUSE)
      }
    } catch (error) {
      return stage.signal.reason ?? error
    } finally {
      this.#client = undefined
      this.#isReady = false
      stage.abort()
      client.destroy()
    }
  }

  async #subscribeAgain(client: RedisClient): Promise<void> {
    if (this.#channels.size === 0) return
    const asked = this.#told('SUBSCRIBE', client.subscribe([...this.#channels], this.#hear))
    await inTime(this.#answered(asked), REDIS_PAUSE)
  }

  async #logIn(library: RedisLibrary, client: RedisClient, place: RedisPlace): Promise<void> {
    const { isNeedless } = await logIn(library, client, { ...place, name: this.#settings.name })
    if (!isNeedless || this.#isDoubted) return
    this.#isDoubted = true
    this.#settings.log.warn('Redis asks for no password, though REDIS_URL has one: whoever reaches it may use it')
  }

  async #pause(milliseconds: number): Promise<void> {
    if (this.#isClosed) return
    this.#stage = new AbortController()
    await sleep(milliseconds, undefined, { signal: this.#stage.signal }).catch(() => {})
  }
}
