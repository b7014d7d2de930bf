import { Type } from 'typebox'

/** Where the next page of a list begins. */
export const NEXT = Type.Union([Type.String({ format: 'uuid' }), Type.Null()], {
  description: 'after of the next page; null on the last one'
})

/**
 * Cuts a page of at most `limit` entries; one more than that has to be read. `last` is the last entry of the page if more
 * follow.
 */
export function pageOf<T>(found: readonly T[], limit: number): { entries: T[]; last: T | undefined } {
  const entries = found.slice(0, limit)
  return { entries, last: found.length > limit ? entries.at(-1) : undefined }
}
