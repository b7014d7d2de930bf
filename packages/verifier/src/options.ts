/** A year in seconds: the longest time, so that a value in milliseconds is usually noticed. */
export const YEAR = 31_536_000

/** Throws a TypeError unless these are options. */
export function requireObject(options: unknown): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError('options must be an object.')
  }
}

/**
 * Throws a TypeError unless each of these options is a number within its bounds.
 *
 * NaN, which comes from an unset setting, passes every comparison: tokens would never expire.
 */
export function requireNumbers(
  options: Readonly<Record<string, readonly [value: number, least: number, most: number]>>
): void {
  for (const [name, [value, least, most]] of Object.entries(options)) {
    if (!Number.isFinite(value) || value < least || value > most) {
      throw new TypeError(`${name} must be a number from ${least} to ${most}.`)
    }
  }
}

/** Throws a TypeError unless each of these options is a text, because plain JavaScript may leave out required ones. */
export function requireTexts(options: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (typeof value !== 'string' || value === '') throw new TypeError(`${name} must be a text that is not empty.`)
  }
}

/** Throws a TypeError unless each of these options is a function. */
export function requireFunctions(options: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (typeof value !== 'function') throw new TypeError(`${name} must be a function.`)
  }
}

/** Throws a TypeError with this message unless a value has these methods, its own or inherited. */
export function requireMethods(value: unknown, names: readonly string[], message: string): void {
  const methods = Object(value ?? undefined) as Record<string, unknown>
  if (!names.every((name) => typeof methods[name] === 'function')) throw new TypeError(message)
}

/** Throws a TypeError unless this is a verifier. */
export function requireVerifier(verifier: unknown): void {
  requireMethods(verifier, ['verify', 'recall'], 'verifier must be what createVerifier made.')
}

/** Throws a TypeError unless this is an http or https URL without user and password. The message does not repeat it. */
export function requireHttpUrl(url: string): void {
  requireTexts({ url })
  if (!URL.canParse(url)) {
    throw new TypeError('url must be an absolute URL, as in https://auth.example.com/.well-known/jwks.json.')
  }
  const { protocol, username, password } = new URL(url)
  if (!/^https?:$/.test(protocol)) throw new TypeError('url must be https: or http:.')
  if (username || password) throw new TypeError('url must hold no user name and no password: it is logged.')
}

/** A URL for the log: without its query, which may contain secrets. */
export function loggedUrl(url: string): string {
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname}`
}
