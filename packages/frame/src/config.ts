import { readFileSync } from 'node:fs'
import { type Static, type TObject, Type } from 'typebox'
import { choice, duration, list, readSetting, type Setting, text } from './settings.ts'

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
  const values: Record<string, unknown> = {}
  const settings = schema.properties as unknown as Readonly<Record<string, Setting>>
  for (const [name, setting] of Object.entries(settings)) {
    const { problem, value } = judge(name, setting, env)
    if (problem !== undefined) problems.push(problem)
    else if (value !== undefined) values[name] = value
    else if (schema.required?.includes(name)) problems.push(`${name} is not set. ${setting.description}`)
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return Object.freeze(values) as Static<T>
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

function judge(
  name: string,
  setting: Setting,
  env: Readonly<Record<string, string | undefined>>
): { problem?: string; value?: unknown } {
  const path = setting.file && !env[name] && env[`${name}_FILE`]
  let text: string | undefined
  try {
    text = path ? readFileSync(path, 'utf8').trim() : env[name]
    // Half of a file that is being written may be nothing. A default in its place could be less safe.
    if (path && text === '')
      return { problem: `${name}_FILE names an empty file: write the value into it, or unset it.` }
    text ||= setting.default
  } catch (error) {
    return { problem: `${name}_FILE names a file that cannot be read (${(error as NodeJS.ErrnoException).code}).` }
  }
  if (text === undefined) return {}
  const { fault, value } = readSetting(setting, text)
  if (fault === undefined) return { value }
  const words = setting.enum ? `: ${setting.enum.join(', ')}` : ''
  return { problem: `${name} ${fault}${words}. ${setting.description}` }
}
