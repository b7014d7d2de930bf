import module from 'node:module'
import { fileURLToPath } from 'node:url'
import type { App } from './app-type.ts'
import { listen } from './listening.ts'

/** Longest wait for open requests when the service stops, in milliseconds. */
const DRAIN_TIMEOUT = 10_000
/** When remaining connections of slow clients are closed, in milliseconds. */
const SLOW_CLIENT_TIMEOUT = 8000

/** A service that is ready to listen, with its address. */
export interface Service {
  readonly app: App
  readonly host: string
  readonly port: number
}

/**
 * Runs a service as this process: starts it, listens, and stops it in order.
 *
 * SIGTERM, SIGINT and the end of a parent process with an IPC channel start one orderly stop: no new connections, open
 * requests are answered, `onClose` hooks run, exit code 0. Further signals change nothing, because npm delivers one
 * Ctrl-C twice. SIGHUP does not stop it. A service that cannot start prints the reason and exits with 1.
 */
export async function runService(name: string, start: () => Promise<Service>): Promise<void> {
  prepareLoading()
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

/**
 * Before the rest is loaded: stacks name the lines of the sources, not those of the bundle; and where Node can, it keeps
 * what it has compiled for the next start. In node_modules, because who can write there can change the service anyway;
 * where nobody may write, nothing is kept.
 */
function prepareLoading(): void {
  process.setSourceMapsEnabled(true)
  // Node 21 and later have it. Without it, pg makes a Response to find out where it runs, which loads all of fetch.
  if (!('navigator' in globalThis)) Object.assign(globalThis, { navigator: { userAgent: 'Node.js' } })
  const { enableCompileCache } = module as { enableCompileCache?: (folder: string) => unknown }
  enableCompileCache?.(fileURLToPath(new URL('../../../node_modules/.cache/latchkey', import.meta.url)))
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

// A fault of the program needs its stack; a fault that an operator can correct has a message that says how.
const FAULTS = [TypeError, RangeError, ReferenceError, SyntaxError]

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code, message, stack } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') return `${message}. Stop what listens there, or set another PORT.`
  return (FAULTS.some((fault) => error instanceof fault) && stack) || message
}
