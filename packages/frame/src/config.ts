import { readFileSync } from 'node:fs'
import type { ErrorObject } from 'ajv'
import { type Static, type TObject, Type } from 'typebox'
import { choice, duration, list, settingsValidator, text } from './settings.ts'

/** The settings that every service has. */
export const frameSettings = {
  NODE_ENV: choice(['production', 'development'], {
    default: 'production',
    description:
      'development makes logs readable on a terminal and leaves out warnings of http:; it changes no rule of any token.'
  }),
  HOST: text({
    default: '127.0.0.1',
    description: 'Address to listen on. 0.0.0.0 is every interface: then the network in front decides who can connect.'
  }),
  KEEP_ALIVE_TIMEOUT: duration({
    minimum: 1,
    default: '72s',
    description:
      "How long a connection without a request stays open. Set it longer than at the load balancer in front, or some requests are lost. Usual ones keep connections for 60s, Google Cloud's for 600s, which needs 620s here."
  }),
  LOG_LEVEL: choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    default: 'info',
    description: 'Lowest level that is logged. From warn on, the log does not say who logged in and what was refused.'
  }),
  TRUST_PROXY: Type.Optional(
    list({
      of: 'network',
      description:
        'Proxies whose X-Forwarded-For is believed: addresses and CIDR ranges with commas between them. The header is read from its end; ports and brackets are left off, and where an entry is no address, the proxy that handed it on counts as the client. Forwarded (RFC 7239) and X-Real-IP are not read. Unset, no proxy is believed: all clients behind one then have its address, in limits, logs and the list of sessions.'
    })
  ),
  CORS_ORIGINS: Type.Optional(
    list({
      of: 'origin',
      description:
        'Origins whose pages may call this service, with commas between them: sites as in https://app.example.com, apps as in capacitor://localhost. Unset, none may.'
    })
  )
}

/** The values of the frame's settings. */
export type FrameConfig = Static<TObject<typeof frameSettings>>

/** Says which settings keep a service from starting; the message names all of them. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`cannot start, because these settings need a look:\n${problems.map((problem) => `  ${problem}`).join('\n')}`)
    this.problems = problems
  }
}

/**
 * Reads a service's settings from the environment, once.
 *
 * An empty value counts as unset. A setting with `file: true` may come as `<NAME>_FILE`, the path of a file with its
 * value. `problems` are those that the caller has found already. Throws {@link ConfigError} with every missing or
 * malformed setting. It does not repeat values, because they may be secrets.
 */
export function readConfig<T extends TObject>(
  schema: T,
  env: Readonly<Record<string, string | undefined>>,
  problems: string[] = []
): Readonly<Static<T>> {
  const data: Record<string, string> = {}
  for (const [name, setting] of Object.entries<{ file?: true }>(schema.properties)) {
    const path = setting.file && env[`${name}_FILE`]
    const value = env[name] || (path ? readValue(path, `${name}_FILE`, problems) : undefined)
    if (value) data[name] = value
  }
  const validator = settingsValidator()
  if (validator.validate<Static<T>>(schema, data)) {
    if (problems.length === 0) return Object.freeze(data)
  } else {
    const unread = problems.map((problem) => problem.split(/_FILE\b/)[0])
    const errors = validator.errors?.filter((e) => !unread.includes(e.params['missingProperty'])) ?? []
    problems.push(...errors.map((e) => describe(e, schema.properties)))
  }
  throw new ConfigError(problems)
}

/**
 * Names the settings that are set under an old name; `renamed` maps old names to new ones.
 *
 * Ignoring an old name would drop a value that an operator has set.
 */
export function oldNames(
  renamed: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string | undefined>>
): string[] {
  return Object.entries(renamed)
    .filter(([old]) => env[old])
    .map(([old, name]) => `${old} is now called ${name}: set that one, and remove ${old}.`)
}

function readValue(path: string, name: string, problems: string[]): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    problems.push(`${name} names a file that cannot be read (${(error as NodeJS.ErrnoException).code}).`)
    return undefined
  }
}

type Settings = Readonly<Record<string, { description?: string; enum?: readonly string[] }>>

function describe({ instancePath, keyword, message, params }: ErrorObject, settings: Settings): string {
  const missing: unknown = params['missingProperty']
  const name = typeof missing === 'string' ? missing : instancePath.slice(1)
  const expected = missing ? 'is not set' : message
  const words = keyword === 'enum' ? `: ${settings[name]?.enum?.join(', ')}` : ''
  return `${name} ${expected}${words}. ${settings[name]?.description}`
}
