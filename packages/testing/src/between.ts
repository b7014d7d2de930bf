import type { Test } from 'tap'

/** What a number may be, both included; by default anything. */
export interface Limits {
  readonly least?: number
  readonly most?: number
}

/** Asserts that a value is a number within these limits; where it is not, the value and the limits are shown. */
export function between(
  t: Test,
  found: unknown,
  { least = -Infinity, most = Infinity }: Limits,
  about = 'within'
): void {
  t.ok(typeof found === 'number' && found >= least && found <= most, about, { found, least, most })
}
