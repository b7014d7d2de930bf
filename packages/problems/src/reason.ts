/** Most parts of an error that are named; a host name may have hundreds of addresses. */
const MOST_PARTS = 3

/**
 * Describes an error in one line that is never empty.
 *
 * If all addresses of a name refuse, Node throws an AggregateError without a message: then the line has the messages of
 * its errors. An error without a message is described by its code or name.
 */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error) || 'unknown'
  const parts = error instanceof AggregateError && error.message === '' ? error.errors : []
  if (parts.length > 0) {
    const more = parts.length > MOST_PARTS ? [`${parts.length - MOST_PARTS} more`] : []
    return [...parts.slice(0, MOST_PARTS).map(reasonOf), ...more].join('; ')
  }
  return error.message || (error as NodeJS.ErrnoException).code || error.name || 'unknown'
}
