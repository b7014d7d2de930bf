import { Ajv, type FuncKeywordDefinition, type SchemaValidateFunction } from 'ajv'
import { type TUnsafe, Type } from 'typebox'

/** What every setting says about itself; `.env.example` repeats it. */
interface About {
  /** What it is, its unit, and what follows from it. */
  readonly description: string
  /** As it would stand in the environment; without one the setting is required. */
  readonly default?: string
}

const SECONDS = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 } as const

/** A length of time, written as a whole number and `ms`, `s`, `m`, `h` or `d`; read as seconds. At least `minimum` seconds. */
export function duration(about: About & { minimum?: number }): TUnsafe<number> {
  const { minimum = 0, ...rest } = about
  return Type.Unsafe<number>({ type: 'string', duration: minimum, ...rest })
}

/** An absolute URL without query or fragment, read as it is written. `http:` and `https:`, or the given schemes. */
export function url(about: About & { schemes?: readonly string[] }): TUnsafe<string> {
  const { schemes = ['http:', 'https:'], ...rest } = about
  return Type.Unsafe<string>({ type: 'string', url: schemes, ...rest })
}

/** Texts with commas between them, outer white space trimmed; unset is the empty list unless it is required. */
export function list(about: About & { pattern?: string }): TUnsafe<string[]> {
  const { pattern = '', ...rest } = about
  return Type.Unsafe<string[]>({ type: 'string', list: pattern, ...rest })
}

/** A whole number within bounds. */
export function integer(about: About & { minimum: number; maximum: number }): TUnsafe<number> {
  return Type.Unsafe<number>({ type: 'integer', ...about })
}

/** Free text; with `file` it may be given as the path of a file that holds it, in the setting's name and `_FILE`. */
export function text(about: About & { file?: true; pattern?: string }): TUnsafe<string> {
  return Type.Unsafe<string>({ type: 'string', ...about })
}

/** One of a few words. */
export function choice<const T extends string>(words: readonly T[], about: About): TUnsafe<T> {
  return Type.Unsafe<T>({ type: 'string', enum: words, ...about })
}

const keywords: FuncKeywordDefinition[] = [
  converting('duration', 'must be a whole number and ms, s, m, h or d, as in 15m', (value, minimum: number) => {
    const [, count, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(value) ?? []
    const seconds = Number(count) * SECONDS[unit as keyof typeof SECONDS]
    return seconds >= minimum ? seconds : undefined
  }),
  converting('url', 'must be an absolute URL without query or fragment', (value, schemes: readonly string[]) => {
    const parsed = URL.canParse(value) ? new URL(value) : undefined
    return parsed && schemes.includes(parsed.protocol) && !/[?#\s]/.test(value) ? value : undefined
  }),
  converting('list', 'must be a list with commas, each member as described', (value, pattern: string) => {
    const members = value.split(',').map((member) => member.trim())
    return members.every((member) => member !== '' && new RegExp(pattern, 'u').test(member)) ? members : undefined
  })
]

/** The validator of settings: `env-schema` with the keywords that stand behind the functions above. */
export function settingsValidator(): Ajv {
  const ajv = new Ajv({ allErrors: true, coerceTypes: true, useDefaults: true, removeAdditional: true, verbose: true })
  for (const keyword of keywords) ajv.addKeyword(keyword)
  return ajv.addKeyword('file')
}

// A keyword that puts the value it reads in the place of the text, or fails with its message.
function converting<P>(
  keyword: string,
  message: string,
  convert: (value: string, parameter: P) => unknown
): FuncKeywordDefinition {
  const validate: SchemaValidateFunction = (parameter: P, value: string, _schema, context) => {
    const converted = convert(value, parameter)
    validate.errors = [{ keyword, message, params: {} }]
    if (converted === undefined || !context) return false
    context.parentData[context.parentDataProperty] = converted
    return true
  }
  return { keyword, type: 'string', modifying: true, errors: true, validate }
}
