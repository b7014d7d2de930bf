import type { Test } from 'tap'

/** Asserts that a number is at least `least` and at most `most`; where it is not, all three are shown. */
export function between(t: Test, found: unknown, least: number, most: number, about = 'in between'): void {
  t.ok(typeof found === 'number' && found >= least && found <= most, about, { found, least, most })
}
