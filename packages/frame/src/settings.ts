import { isIP } from 'node:net'
import { Ajv, type FuncKeywordDefinition, type SchemaValidateFunction } from 'ajv'
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

const keywords: FuncKeywordDefinition[] = [
  converting(
    'duration',
    ({ minimum, maximum, zero }: Bounds & { zero?: true }) =>
      `must be a whole number and ms, s, m, h or d, from ${lengthOf(minimum)} to ${lengthOf(maximum)}${zero ? ', or 0' : ''}`,
    (value, { minimum, maximum, zero }: Bounds & { zero?: true }) => {
      if (zero && /^0(ms|s|m|h|d)?$/.test(value)) return 0
      const [, count, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(value) ?? []
      const seconds = Number(count) * SECONDS[unit as keyof typeof SECONDS]
      return seconds >= minimum && seconds <= maximum ? seconds : undefined
    }
  ),
  // Otherwise its password would be logged.
  converting(
    'url',
    'must be an absolute URL without user, password, query or fragment',
    (value, schemes: readonly string[]) => {
      const parsed = URL.canParse(value) ? new URL(value) : undefined
      return parsed &&
        schemes.includes(parsed.protocol) &&
        /^\w+:\/\/[^/@\\]+(\/|$)/.test(value) &&
        !/[?#\s]/.test(value)
        ? value
        : undefined
    }
  ),
  converting('list', 'must be a list with commas, each member as described', (value, of: keyof typeof MEMBERS) => {
    const members = value.split(',').map((member) => member.trim())
    return members.every((member) => member !== '' && MEMBERS[of](member)) ? members : undefined
  }),
  converting(
    'integer',
    ({ minimum, maximum }: Bounds) => `must be a whole number from ${minimum} to ${maximum}`,
    (value, bounds: Bounds) => {
      const number = wholeNumber(value, bounds)
      return Number.isNaN(number) ? undefined : number
    }
  ),
  { keyword: 'check', type: 'string', errors: true, validate: checking() }
]

function checking(): SchemaValidateFunction {
  const validate: SchemaValidateFunction = (check: Check, value: string) => {
    const message = check(value)
    if (message !== undefined) validate.errors = [{ keyword: 'check', message, params: {} }]
    return message === undefined
  }
  return validate
}

/** The schemas are TypeBox's own, so they are not checked: that would take a tenth of each start. */
export const TRUSTED_SCHEMAS = { validateSchema: false } as const

/** Makes the validator of settings: Ajv with the keywords of the functions above. It replaces texts by their values. */
export function settingsValidator(): Ajv {
  const ajv = new Ajv({ allErrors: true, useDefaults: true, removeAdditional: true, verbose: true, ...TRUSTED_SCHEMAS })
  for (const keyword of keywords) ajv.addKeyword(keyword)
  return ajv.addKeyword('file')
}

// Makes a keyword that replaces the text by its value, or fails with its message.
function converting<P>(
  keyword: string,
  message: string | ((parameter: P) => string),
  convert: (value: string, parameter: P) => unknown
): FuncKeywordDefinition {
  const validate: SchemaValidateFunction = (parameter: P, value: string, _schema, context) => {
    const converted = convert(value, parameter)
    validate.errors = [{ keyword, message: typeof message === 'string' ? message : message(parameter), params: {} }]
    if (converted === undefined || !context) return false
    context.parentData[context.parentDataProperty] = converted
    return true
  }
  return { keyword, type: 'string', modifying: true, errors: true, validate }
}
