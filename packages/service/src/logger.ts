import { reasonOf } from '@latchkey/tokens/reason'
import { type FastifyBaseLogger, type FastifyReply, type FastifyRequest, LogController } from 'fastify'
import { type DestinationStream, type LoggerOptions, pino, stdTimeFunctions } from 'pino'
import { openLines } from './log-lines.ts'

const STANDARD_OUTPUT = 1

/** What the log needs to know. */
interface LogSettings {
  readonly NODE_ENV: string
  readonly LOG_LEVEL: string
}

/**
 * A service's log: JSON lines on standard output, times in UTC; readable lines where `NODE_ENV` is `development` and a
 * person looks at a terminal. Headers, bodies and queries are never logged, so that no secret can be. What cannot be
 * written is lost, and holds up nobody.
 *
 * `destination` is where the lines go instead, for tests.
 */
export async function createLogger(
  service: string,
  settings: LogSettings,
  destination?: DestinationStream
): Promise<FastifyBaseLogger> {
  const options: LoggerOptions = {
    level: settings.LOG_LEVEL,
    base: { service },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (level) => ({ level }) },
    serializers: { req: describeRequest, res: describeReply, err: describeError }
  }
  if (destination) return pino(options, destination)
  if (settings.NODE_ENV === 'development' && process.stdout.isTTY) {
    const { default: pretty } = await import('pino-pretty')
    return pino(options, pretty({ sync: true, ignore: 'service', messageFormat: '{service}: {msg}' }))
  }
  const logger = pino(
    options,
    openLines(STANDARD_OUTPUT, (lost) => logger.warn({ event: 'log_lost', lost }, 'lines of the log were lost'))
  )
  return logger
}

/** Logs each request once, when it was answered. */
export class OneLineARequest extends LogController {
  override incomingRequest(): void {}

  override requestCompleted(error: Error | null | undefined, request: FastifyRequest, reply: FastifyReply): void {
    const details = { req: request, res: reply, ms: Math.round(reply.elapsedTime) }
    if (error) request.log.warn({ ...details, err: error }, 'connection lost while answering')
    else request.log[isProbe(request) && reply.statusCode < 400 ? 'debug' : 'info'](details, 'answered')
  }
}

// Orchestrators ask every few seconds; that all is well is no news.
function isProbe({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.url === '/healthz' || routeOptions.url === '/readyz'
}

function describeRequest(request: FastifyRequest): object {
  return { method: request.method, path: pathOf(request.url), ip: request.ip }
}

function describeReply({ statusCode }: FastifyReply): object {
  return { status: statusCode }
}

// A query may hold a token that somebody put there by mistake.
function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? ''
}

// Errors of the database carry rows in further members; the log gets what names the fault, and no more.
function describeError(error: Error & { code?: string }): object {
  return {
    type: error.name,
    code: error.code,
    message: reasonOf(error),
    stack: error.stack,
    cause: error.cause instanceof Error ? describeError(error.cause) : undefined
  }
}
