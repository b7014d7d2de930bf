/** Parts of an error that are told. A name may have hundreds of addresses. */
const MOST_PARTS = 3

/**
 * What an error says, in one line and never empty.
 *
 * A name with several addresses that all refuse is an AggregateError without a message: then what each of its errors
 * says. An error that says nothing is told by its code or its name.
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
