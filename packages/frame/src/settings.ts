import { isIP } from 'node:net'
import { type TUnsafe, Type } from 'typebox'

/** What every setting has; `.env.example` repeats it. */
interface About {
  /** What it is, its unit, and its consequence. */
  readonly description: string
  /** The default as it would be written in the environment; a setting without one is required. */
  readonly default?: string
}

const SECONDS = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 } as const

/**
 * A duration: a whole number and `ms`, `s`, `m`, `h` or `d`; the value is in seconds. `minimum` (0) and `maximum` (one
 * day) are in seconds. Node's timers hold less than 25 days and fire at once beyond. With `zero`, `0` is a value too,
 * below the minimum.
 */
export function duration(about: About & Partial<Bounds> & { zero?: true }): TUnsafe<number> {
  const { minimum = 0, maximum = SECONDS.d, zero, ...rest } = about
  return Type.Unsafe<number>({ type: 'string', duration: { minimum, maximum, ...(zero && { zero }) }, ...rest })
}

/** Writes a number of seconds as in the environment, in the largest unit without a fraction: `0s`, `50ms`, `15m`. */
export function lengthOf(seconds: number): string {
  const milliseconds = Math.round(seconds * 1000)
  const units = Object.entries(SECONDS).reverse()
  const [unit, size] = units.find(([, size]) => milliseconds % (size * 1000) === 0) ?? ['ms', 0.001]
  return milliseconds === 0 ? '0s' : `${milliseconds / (size * 1000)}${unit}`
}

/**
 * An absolute URL without query or fragment, with `http:`, `https:` or the given schemes. The text is kept as it is.
 */
export function url(about: About & { schemes?: readonly string[] }): TUnsafe<string> {
  const { schemes = ['http:', 'https:'], ...rest } = about
  return Type.Unsafe<string>({ type: 'string', url: schemes, ...rest })
}

/** What the members of a list may be. */
const MEMBERS = {
  text: () => true,
  /** An origin as browsers write it in the header: of a site, or of an app with its own scheme. */
  origin: (member: string) => isSite(member) || isApp(member),
  /** An IP address without a zone, or a range of them in CIDR notation. */
  network: (member: string) => {
    const [address = '', prefix, ...more] = member.split('/')
    if (address.includes('%')) return false
    const bits = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0
    return (
      bits > 0 && more.length === 0 && (prefix === undefined || wholeNumber(prefix, { minimum: 1, maximum: bits }) > 0)
    )
  }
} as const

// Scheme, host in lower case, port where it is not the usual one.
function isSite(origin: string): boolean {
  return /^https?:[^*]+$/.test(origin) && URL.canParse(origin) && new URL(origin).origin === origin
}

// For instance capacitor://localhost, for which the standard knows only the origin `null`. `null` is refused, because
// every sandbox and file has it, and so is file://, which every file has.
function isApp(origin: string): boolean {
  return /^(?!file:)[a-z][a-z\d+.-]*:\/\/[\w.-]+(:\d+)?$/i.test(origin) && new URL(origin).origin === 'null'
}

/** Texts separated by commas, without outer white space; `of` says what each must be, by default anything. */
export function list(about: About & { of?: keyof typeof MEMBERS }): TUnsafe<string[]> {
  const { of = 'text', ...rest } = about
  return Type.Unsafe<string[]>({ type: 'string', list: of, ...rest })
}

interface Bounds {
  readonly minimum: number
  readonly maximum: number
}

/** A whole number within bounds, in decimal digits. */
export function integer({ minimum, maximum, ...rest }: About & Bounds): TUnsafe<number> {
  return Type.Unsafe<number>({ type: 'string', integer: { minimum, maximum }, ...rest })
}

function wholeNumber(text: string, { minimum, maximum }: Bounds): number {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  return number >= minimum && number <= maximum ? number : Number.NaN
}

/**
 * Says what is wrong with a value, such as `has a # in it: percent-encode it`, or nothing. It does not repeat the
 * value.
 */
type Check = (value: string) => string | undefined

/**
 * Free text. With `file` it may come as the path of a file, in `<NAME>_FILE`. `check` refuses values that a pattern
 * cannot describe, or not with a useful message.
 */
export function text(about: About & { file?: true; pattern?: string; check?: Check }): TUnsafe<string> {
  return Type.Unsafe<string>({ type: 'string', ...about })
}

/** One of a few words. */
export function choice<const T extends string>(words: readonly T[], about: About): TUnsafe<T> {
  return Type.Unsafe<T>({ type: 'string', enum: words, ...about })
}

/** The keywords that a setting may have; one that is not known here would be ignored, so it is refused. */
export interface Setting {
  readonly type: 'string'
  readonly description: string
  readonly default?: string
  readonly file?: true
  readonly enum?: readonly string[]
  readonly pattern?: string
  readonly check?: Check
  readonly duration?: Bounds & { zero?: true }
  readonly url?: readonly string[]
  readonly list?: keyof typeof MEMBERS
  readonly integer?: Bounds
}

/** The value of a text, or what is wrong with it, beginning with a verb. */
interface Read {
  readonly value?: unknown
  readonly fault?: string
}

/**
 * Reads the text of a setting that one of the functions above has made. Not with Ajv, which would take an eighth of the
 * auth service's start to compile what is needed once. Throws a TypeError if the setting is none of theirs.
 */
export function readSetting(setting: Setting, text: string): Read {
  const { type, description, default: _, file, enum: words, pattern, check, ...form } = setting
  const { duration, url, list, integer, ...unknown } = form
  if (type !== 'string' || Object.keys(unknown).length > 0)
    throw new TypeError(`a setting is of no known form: ${description}`)
  if (words && !words.includes(text)) return { fault: 'must be equal to one of the allowed values' }
  if (pattern !== undefined && !new RegExp(pattern, 'u').test(text)) return { fault: `must match pattern "${pattern}"` }
  const fault = check?.(text)
  if (fault !== undefined) return { fault }
  if (duration) return toDuration(text, duration)
  if (url) return toUrl(text, url)
  if (list) return toList(text, list)
  return integer ? toInteger(text, integer) : { value: text }
}

function toDuration(text: string, { minimum, maximum, zero }: Bounds & { zero?: true }): Read {
  if (zero && /^0(ms|s|m|h|d)?$/.test(text)) return { value: 0 }
  const [, count, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? []
  const seconds = Number(count) * SECONDS[unit as keyof typeof SECONDS]
  if (seconds >= minimum && seconds <= maximum) return { value: seconds }
  const range = `from ${lengthOf(minimum)} to ${lengthOf(maximum)}${zero ? ', or 0' : ''}`
  return { fault: `must be a whole number and ms, s, m, h or d, ${range}` }
}

function toUrl(text: string, schemes: readonly string[]): Read {
  const parsed = URL.canParse(text) ? new URL(text) : undefined
  const isPlain = /^\w+:\/\/[^/@\\]+(\/|$)/.test(text) && !/[?#\s]/.test(text)
  if (parsed && isPlain && schemes.includes(parsed.protocol)) return { value: text }
  // A password in it would be logged.
  return { fault: 'must be an absolute URL without user, password, query or fragment' }
}

function toList(text: string, of: keyof typeof MEMBERS): Read {
  const members = text.split(',').map((member) => member.trim())
  if (members.every((member) => member !== '' && MEMBERS[of](member))) return { value: members }
  return { fault: 'must be a list with commas, each member as described' }
}

function toInteger(text: string, bounds: Bounds): Read {
  const value = wholeNumber(text, bounds)
  if (!Number.isNaN(value)) return { value }
  return { fault: `must be a whole number from ${bounds.minimum} to ${bounds.maximum}` }
}
