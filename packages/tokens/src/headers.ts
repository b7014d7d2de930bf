/**
 * Returns every value of a header, in order; `name` is in lower case.
 *
 * Takes Node's `rawHeaders` (name, value, name, value …), because the parsed headers join or hide a second one.
 */
export function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === name)
}
