import { harmless } from './harmless.ts'

/**
 * Longest log line, in bytes. The line about the end of a request has at most half of it; the one or two others of the
 * request make less than 2,000 bytes together with it.
 */
export const LONGEST_LINE = 800

/** How much of a line is kept: UTF-16 units of each text, members of each list. */
interface Measure {
  readonly units: number
  readonly members: number
}

/** The first that fits is taken; none cuts an id. */
const MEASURES: readonly Measure[] = [
  { units: 400, members: 16 },
  { units: 250, members: 16 },
  { units: 160, members: 8 },
  { units: 100, members: 8 },
  { units: 64, members: 8 }
]
const LEAST = { units: 40, members: 4 }

/** How much of the message is kept, in UTF-16 units: it is our own text and ends with what to do. */
const LEAST_OF_MESSAGE = 160

/** What is kept of a line with too many members. */
const CORE = ['level', 'time', 'service', 'request_id', 'msg']

/**
 * Makes a log line harmless: at most {@link LONGEST_LINE}, without tokens, and without characters that control a
 * terminal, also after it was parsed. Takes and returns JSON and a line feed.
 *
 * Every line passes it last, so it also covers the lines of Fastify and of plugins.
 */
export function harmlessLine(line: string): string {
  if (isPlain(line)) return line
  const record: Record<string, unknown> = JSON.parse(line)
  for (const measure of [...MEASURES, LEAST]) {
    const text = lineOf(shown(record, measure))
    if (Buffer.byteLength(text) <= LONGEST_LINE) return text
  }
  return lineOf(Object.fromEntries(CORE.map((name) => [name, shown(record[name], LEAST, name)])))
}

// Most lines are short ASCII without escapes; this check costs 0.1 µs.
function isPlain(line: string): boolean {
  return (
    line.length <= LONGEST_LINE &&
    !line.includes('\\') &&
    !line.includes('\x7f') &&
    !line.includes('%') &&
    !line.includes('eyJ') &&
    Buffer.byteLength(line) === line.length
  )
}

function lineOf(record: unknown): string {
  return `${JSON.stringify(record)}\n`
}

function shown(value: unknown, measure: Measure, name = ''): unknown {
  const { units, members } = measure
  if (name === 'msg') return cut(harmless(String(value)), Math.max(units, LEAST_OF_MESSAGE))
  if (typeof value === 'string') return cut(name === 'stack' ? stackOf(value) : harmless(value), units)
  if (Array.isArray(value)) {
    const told = value.slice(0, members).map((member) => shown(member, measure))
    return value.length > members ? [...told, `and ${value.length - members} more`] : told
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shown(member, measure, key)]))
}

// Its lines are ours.
function stackOf(text: string): string {
  return text.split('\n').map(harmless).join('\n')
}

function cut(text: string, units: number): string {
  return text.length <= units ? text : `${text.slice(0, units).toWellFormed()}…`
}
