import type { App } from './app-type.ts'
import { listen } from './listening.ts'

/** Longest wait for open requests when the service stops, in milliseconds. */
const DRAIN_TIMEOUT = 10_000
/** When the connections are cut that are open all the same, in milliseconds: of clients that send or read too slowly. */
const SLOW_CLIENT_TIMEOUT = 8000

/** A service that is ready to listen, and where. */
export interface Service {
  readonly app: App
  readonly host: string
  readonly port: number
}

/**
 * Runs a service as this process: starts it, listens, and ends it in order.
 *
 * SIGTERM, SIGINT and the end of the process that started it (seen when it came with an IPC channel) begin one orderly
 * stop: no new connections, open requests answered, `onClose` hooks run, exit code 0. Repeats change nothing, because
 * under npm one Ctrl-C arrives twice. SIGHUP is not an end. A service that cannot start says why and exits with 1.
 */
export async function runService(name: string, start: () => Promise<Service>): Promise<void> {
  let app: App | undefined
  let stopping = false
  const stop = (why: string) => {
    if (stopping) return
    stopping = true
    if (app) void drain(app, why)
    else process.exit(0)
  }
  process
    .on('SIGTERM', stop)
    .on('SIGINT', stop)
    .on('SIGHUP', () => {})
  if (process.connected) process.once('disconnect', () => stop('the starting process is gone'))
  try {
    const service = await start()
    app = service.app
    await listen(app, service)
  } catch (error) {
    console.error(`${name}: ${explain(error)}`)
    process.exit(1)
  }
  process.on('uncaughtException', (error) => {
    app?.log.fatal({ err: error }, 'uncaught exception')
    process.exit(1)
  })
}

async function drain(app: App, why: string): Promise<void> {
  app.log.info({ why }, 'stopping')
  setTimeout(() => {
    app.log.error(`requests were still open after ${DRAIN_TIMEOUT / 1000} s`)
    process.exit(1)
  }, DRAIN_TIMEOUT).unref()
  setTimeout(() => {
    app.log.warn(`connections were still open after ${SLOW_CLIENT_TIMEOUT / 1000} s`)
    app.server.closeAllConnections()
  }, SLOW_CLIENT_TIMEOUT).unref()
  await app.close()
  app.log.info('stopped')
  process.exit(0)
}

// What is wrong with the program itself needs its stack; what an operator can put right says so in its message.
const FAULTS = [TypeError, RangeError, ReferenceError, SyntaxError]

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code, message, stack } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') return `${message}. Stop what listens there, or set another PORT.`
  return (FAULTS.some((fault) => error instanceof fault) && stack) || message
}
