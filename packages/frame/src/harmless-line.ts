import { harmless } from './harmless.ts'

/**
 * Longest line of the log, in bytes. A request has one line about its end, which is half as long at the most, and with
 * it one about what it did and one about why it failed: less than 2,000 bytes together.
 */
export const LONGEST_LINE = 800

/** How much of a line is told: of each text so many UTF-16 units, of each list so many members. */
interface Measure {
  readonly units: number
  readonly members: number
}

/** The first that will do is taken; none cuts an id. */
const MEASURES: readonly Measure[] = [
  { units: 400, members: 16 },
  { units: 250, members: 16 },
  { units: 160, members: 8 },
  { units: 100, members: 8 },
  { units: 64, members: 8 }
]
const LEAST = { units: 40, members: 4 }

/** The message is ours, and says at its end what to do: so much of it stays, in UTF-16 units. */
const LEAST_OF_MESSAGE = 160

/** What is left of a line that has too many members. */
const CORE = ['level', 'time', 'service', 'request_id', 'msg']

/**
 * Makes a line of the log one that cannot harm: no longer than {@link LONGEST_LINE}, without tokens, and with nothing
 * that a terminal obeys, also after somebody has parsed it. Takes and returns JSON and a line feed.
 *
 * It is the last to see each line, so that also what Fastify and plugins write by themselves goes through it.
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

// Nearly every line is short ASCII with nothing escaped in it; these looks cost a tenth of a microsecond.
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
