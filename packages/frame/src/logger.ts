import { fileURLToPath } from 'node:url'
import { count, emit } from '@latchkey/events/emit'
import { reasonOf } from '@latchkey/problems/reason'
import type { FastifyBaseLogger, FastifyReply } from 'fastify'
import { type DestinationStream, type LoggerOptions, pino, stdTimeFunctions } from 'pino'
import { harmlessLine } from './harmless-line.ts'
import { openLines } from './log-lines.ts'
import type { LoggedRequest } from './request-log.ts'

const STANDARD_OUTPUT = 1

/** The settings of the log. */
interface LogSettings {
  readonly NODE_ENV: string
  readonly LOG_LEVEL: string
}

/**
 * Makes the log of a service: JSON lines on standard output, times in UTC. On a terminal in development the lines are
 * readable text.
 *
 * Headers, bodies, queries and clients' parts of paths are never logged, so no secret is. Each line is made harmless by
 * {@link harmlessLine}. A line that cannot be written is lost; nothing waits for it.
 *
 * `destination` gets the lines instead, for tests.
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
    serializers: { req: describeRequest, res: describeReply, err: (error: Error) => describeError(error) },
    hooks: { streamWrite: harmlessLine }
  }
  if (destination) return pino(options, destination)
  if (settings.NODE_ENV === 'development' && process.stdout.isTTY) {
    const { readableLine } = await import('./readable-log.ts')
    const lines = openLines(STANDARD_OUTPUT, { onLost, onRecovered: () => {} })
    const colors = process.stdout.hasColors()
    return pino(options, { write: (line) => lines.write(`${readableLine(line, { colors })}\n`) })
  }
  const logger = pino(
    options,
    openLines(STANDARD_OUTPUT, { onLost, onRecovered: (lost) => emit(logger, 'log_lost', { lost }) })
  )
  return logger
}

// The metrics tell of it while the log itself cannot.
function onLost(): void {
  count('line_lost', {})
}

// Fastify also passes its own request objects; only their method may be logged.
function describeRequest({ method, path, ip }: LoggedRequest): LoggedRequest {
  return { method, path, ip }
}

function describeReply({ statusCode }: FastifyReply): object {
  return { status: statusCode }
}

/** How many causes of an error are logged. */
const MOST_CAUSES = 2

/** How many lines of a stack are logged. */
const MOST_FRAMES = 6

/** The folder of the repository, which is left out of stack lines. */
const ROOT = new URL('../../..', import.meta.url)

// Database errors contain rows in further members. The log gets only the members that identify the fault.
function describeError(error: Error & { code?: string }, causes = MOST_CAUSES): object {
  const { cause } = error
  return {
    type: error.name,
    code: error.code,
    message: reasonOf(error),
    stack: framesOf(error),
    cause: cause instanceof Error && causes > 0 ? describeError(cause, causes - 1) : undefined
  }
}

// Without the text before the first frame, which repeats name and message.
function framesOf({ stack = '' }: Error): string {
  const frames = stack.split('\n').filter((line) => /^ +at /.test(line))
  const text = frames.slice(0, MOST_FRAMES).join('\n')
  return text.replaceAll(ROOT.href, '').replaceAll(fileURLToPath(ROOT), '')
}
