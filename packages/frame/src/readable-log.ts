/** What a line of the log may have that is shown in a place of its own. */
interface Shown {
  readonly level?: string
  readonly time?: string
  readonly service?: string
  readonly msg?: string
  readonly request_id?: string
  readonly req?: { readonly method?: string; readonly path?: string; readonly ip?: string }
  readonly res?: { readonly status?: number }
  readonly ms?: number
  readonly err?: Fault
}

/** An error, as the log has it. */
interface Fault {
  readonly type?: string
  readonly code?: string
  readonly message?: string
  readonly stack?: string
  readonly cause?: Fault
}

/** What has a place of its own. All other members are shown as `name=value`. */
const PLACED = ['level', 'time', 'service', 'msg', 'request_id', 'req', 'res', 'ms', 'err', 'pid', 'hostname']

/** SGR codes of ECMA-48. */
const RED = 31
const GREEN = 32
const YELLOW = 33
const BLUE = 34
const MAGENTA = 35
const CYAN = 36
const DIM = 2

const SERVICES: Readonly<Record<string, number>> = { auth: CYAN, resource: MAGENTA, chat: BLUE }
const LEVELS: Readonly<Record<string, number>> = { trace: DIM, debug: DIM, warn: YELLOW, error: RED, fatal: RED }

/** Room for the name of a service. */
const NAME = 8

/** Characters of a request id that are shown: enough to see which lines belong together. */
const ID = 8

const INDENT = ' '.repeat(14)

/**
 * Makes a line of the log readable for people: `09:24:43.123 auth     POST /login 200 84 ms 127.0.0.1 #9f87d7de`, and
 * events as their message with `name=value`. An error follows with its stack, in lines of their own. Times are local.
 *
 * Takes a line as {@link createLogger} writes it, with or without its line feed; returns text without a last line feed.
 * What is no JSON object is returned as it is.
 */
export function readableLine(line: string, { colors }: { readonly colors: boolean }): string {
  const record = recordOf(line)
  if (!record) return line.trimEnd()
  const paint = (code: number | undefined, text: string) =>
    colors && code !== undefined && text ? `\x1b[${code}m${text}\x1b[0m` : text
  const { level = 'info', time = '', service = '', msg = '', request_id: id, err } = record
  const fields = fieldsOf(record)
  const parts = [
    paint(DIM, localTime(time)),
    paint(SERVICES[service], service.padEnd(NAME)),
    level === 'info' ? '' : paint(LEVELS[level], level.toUpperCase()),
    ...requestOf(record, paint),
    // A request that was answered needs no more words.
    record.res && msg === 'answered' ? '' : msg,
    paint(DIM, fields),
    id === undefined ? '' : paint(DIM, `#${id.slice(0, ID)}`)
  ]
  const faults = faultLines(err).map((text) => `\n${INDENT}${paint(text.startsWith(' ') ? DIM : RED, text)}`)
  return parts.filter(Boolean).join(' ') + faults.join('')
}

function recordOf(line: string): (Shown & Record<string, unknown>) | undefined {
  try {
    const record: unknown = JSON.parse(line)
    return typeof record === 'object' && record !== null && !Array.isArray(record) ? { ...record } : undefined
  } catch {
    return undefined
  }
}

function localTime(time: string): string {
  const date = new Date(time)
  const two = (value: number) => String(value).padStart(2, '0')
  if (Number.isNaN(date.getTime())) return time
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')
  return `${clock}.${String(date.getMilliseconds()).padStart(3, '0')}`
}

function requestOf({ req, res, ms }: Shown, paint: (code: number | undefined, text: string) => string): string[] {
  if (!req) return []
  const { method = '', path = '', ip = '' } = req
  const status = res?.status
  return [
    `${method} ${path}`,
    status === undefined ? '' : paint(colorOf(status), String(status)),
    ms === undefined ? '' : `${ms} ms`,
    paint(DIM, ip)
  ]
}

function colorOf(status: number): number {
  if (status >= 500) return RED
  return status >= 400 ? YELLOW : GREEN
}

function fieldsOf(record: Record<string, unknown>): string {
  return Object.entries(record)
    .filter(([name]) => !PLACED.includes(name))
    .map(([name, value]) => `${name}=${shownValue(value)}`)
    .join(' ')
}

// Words are shown as they are; what has spaces is quoted, so that one sees where it ends.
function shownValue(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"=]+$/.test(value)) return value
  if (typeof value === 'number' && !Number.isInteger(value)) return String(Math.round(value * 1000) / 1000)
  if (Array.isArray(value)) return `[${value.map(shownValue).join(', ')}]`
  return JSON.stringify(value)
}

function faultLines(fault: Fault | undefined): string[] {
  if (!fault) return []
  const { type = 'Error', code, message = '', stack = '', cause } = fault
  const first = `${type}${code === undefined ? '' : ` [${code}]`}: ${message}`
  const frames = stack.split('\n').filter(Boolean)
  const [head, ...rest] = faultLines(cause)
  return [first, ...frames, ...(head === undefined ? [] : [`caused by ${head}`, ...rest])]
}
