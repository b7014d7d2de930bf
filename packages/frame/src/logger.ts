import { fileURLToPath } from 'node:url'
import { emit } from '@latchkey/events/emit'
import { reasonOf } from '@latchkey/problems/reason'
import type { FastifyBaseLogger, FastifyReply } from 'fastify'
import { type DestinationStream, type LoggerOptions, pino, stdTimeFunctions } from 'pino'
import { harmlessLine } from './harmless-line.ts'
import { openLines } from './log-lines.ts'
import type { LoggedRequest } from './request-log.ts'

const STANDARD_OUTPUT = 1

/** What the log needs to know. */
interface LogSettings {
  readonly NODE_ENV: string
  readonly LOG_LEVEL: string
}

/**
 * A service's log: JSON lines on standard output, times in UTC; readable lines where `NODE_ENV` is `development` and a
 * person looks at a terminal. Headers, bodies, queries and what clients make up of paths are never logged, so that no secret
 * can be, and each line is made a {@link harmlessLine}. What cannot be written is lost, and holds up nobody.
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
    serializers: { req: describeRequest, res: describeReply, err: (error: Error) => describeError(error) },
    hooks: { streamWrite: harmlessLine }
  }
  if (destination) return pino(options, destination)
  if (settings.NODE_ENV === 'development' && process.stdout.isTTY) {
    const { default: pretty } = await import('pino-pretty')
    return pino(options, pretty({ sync: true, ignore: 'service', messageFormat: '{service}: {msg}' }))
  }
  const logger = pino(
    options,
    openLines(STANDARD_OUTPUT, (lost) => emit(logger, 'log_lost', { lost }))
  )
  return logger
}

// Fastify also hands in requests of its own kind, of which no more than the method may be told.
function describeRequest({ method, path, ip }: LoggedRequest): LoggedRequest {
  return { method, path, ip }
}

function describeReply({ statusCode }: FastifyReply): object {
  return { status: statusCode }
}

/** Errors behind an error that are told. */
const MOST_CAUSES = 2

/** Lines of a stack that are told. */
const MOST_FRAMES = 6

/** The folder of the repository, which the lines of a stack need not repeat. */
const ROOT = new URL('../../..', import.meta.url)

// Errors of the database carry rows in further members; the log gets what names the fault, and no more.
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

// Without what stands before the first frame: that is name and message once more.
function framesOf({ stack = '' }: Error): string {
  const frames = stack.split('\n').filter((line) => /^ +at /.test(line))
  const text = frames.slice(0, MOST_FRAMES).join('\n')
  return text.replaceAll(ROOT.href, '').replaceAll(fileURLToPath(ROOT), '')
}
