/** A line of the log. */
export interface Line {
  readonly level: string
  readonly message: string
  readonly event?: string
  readonly [field: string]: unknown
}

/** A log that keeps its lines. */
export function memoryLog() {
  const lines: Line[] = []
  const to = (level: string) => (fields: object, message: string) => lines.push({ level, message, ...fields })
  return { lines, log: { info: to('info'), warn: to('warn'), error: to('error') } }
}
