import type { FastifyBaseLogger } from 'fastify'
import { RedisConnection } from './redis-connection.ts'

/** What {@link openRedis} needs. */
export interface RedisSettings {
  readonly url: string
  /** Of the connections, for the operator of the server. */
  readonly name: string
  /** What follows while it is away, for the log. */
  readonly without: string
  readonly log: Pick<FastifyBaseLogger, 'info' | 'warn'>
}

/** Two connections to one Redis, because one that subscribes takes no other commands. */
export interface RedisConnections {
  /** Tells all who subscribe to a channel. Rejects if Redis is away, refuses, or does not answer within half a second. */
  publish(channel: string, text: string): Promise<unknown>
  /**
   * Asks for the messages of a channel, now and each time that it is connected again; resolves when they come, or when it is
   * known that none can now.
   */
  subscribe(channel: string): Promise<void>
  unsubscribe(channel: string): void
  /** Calls back with each message. */
  onMessage(listener: (channel: string, text: string) => void): void
  /** Whether both are connected. */
  isReady(): boolean
  /** Calls back each time that both are connected again after one was lost. */
  onBack(listener: () => void): void
  close(): void
}

/**
 * Opens both connections; resolves when they are ready, or after the first failed attempt. It says once in the log that
 * Redis is away, and once that it is back; of a command that Redis refuses, once until it takes it again.
 */
export async function openRedis({ url, name, without, log }: RedisSettings): Promise<RedisConnections> {
  const backs: (() => void)[] = []
  const messages: ((channel: string, text: string) => void)[] = []
  let isAway = false
  const missed = (error: unknown) => {
    if (isAway) return
    isAway = true
    log.warn({ err: error }, `Redis is away: ${without}`)
  }
  const refused = new Set<string>()
  const answered = (command: string, refusal?: unknown) => {
    if (refusal === undefined) refused.delete(command)
    else if (!refused.has(command)) {
      refused.add(command)
      log.warn({ err: refusal }, `Redis refuses ${command}: ${without}. ${remedy(command)}`)
    }
  }
  const isReady = () => commands.isReady && subscriptions.isReady
  const ready = () => {
    if (!isAway || !isReady()) return
    isAway = false
    log.info('Redis is back')
    for (const listener of backs) listener()
  }
  const message = (channel: string, text: string) => {
    for (const listener of messages) listener(channel, text)
  }
  const commands = new RedisConnection({ url, name, log, missed, answered, ready })
  const subscriptions = new RedisConnection({
    url,
    name: `${name}-subscriptions`,
    log,
    missed,
    answered,
    ready,
    message
  })
  await Promise.all([commands.open(), subscriptions.open()])
  return {
    publish: (channel, text) => commands.send('PUBLISH', channel, text),
    subscribe: (channel) => subscriptions.subscribe(channel),
    unsubscribe: (channel) => subscriptions.unsubscribe(channel),
    onMessage: (listener) => void messages.push(listener),
    isReady,
    onBack: (listener) => void backs.push(listener),
    close: () => {
      commands.close()
      subscriptions.close()
    }
  }
}

function remedy(command: string): string {
  const right = `+${command.toLowerCase()}`
  return `Give the user of REDIS_URL the command (${right}) and the channels (&latchkey:*), with ACL SETUSER`
}
