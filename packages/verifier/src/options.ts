/**
 * Throws a TypeError unless each of these options is a finite number not below its least.
 *
 * NaN, the number of a setting that is not set, passes every comparison: with it tokens would never expire.
 */
export function requireNumbers(options: Readonly<Record<string, readonly [value: number, least: number]>>): void {
  for (const [name, [value, least]] of Object.entries(options)) {
    if (!Number.isFinite(value) || value < least) throw new TypeError(`${name} must be a number from ${least} on.`)
  }
}

/** Throws a TypeError unless each of these options is a text: plain JavaScript can leave out what the types require. */
export function requireTexts(options: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (typeof value !== 'string' || value === '') throw new TypeError(`${name} must be a text that is not empty.`)
  }
}

/** Throws a TypeError unless this is the URL of something that is fetched, with no name or password in it: URLs are logged. */
export function requireHttpUrl(url: string): void {
  const { protocol, username, password } = new URL(url)
  if (!/^https?:$/.test(protocol)) throw new TypeError('url must be https: or http:.')
  if (username || password) throw new TypeError('url must hold no user name and no password: it is logged.')
}
