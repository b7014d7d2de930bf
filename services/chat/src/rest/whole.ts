import { type TSchema, Type } from 'typebox'

/** Reads a whole number in decimal digits; NaN if it is none, or not exact. */
export function whole(text: string): number {
  const number = /^(0|[1-9]\d{0,15})$/.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(number) ? number : Number.NaN
}

/** The schema of a whole number as a text in a path or query, with the same bounds; other schemas stay. */
export function wholeText(schema: TSchema): TSchema {
  const { type, minimum, maximum, description, examples } = schema as Record<string, unknown> & TSchema
  if (type !== 'integer') return schema
  const [least, most] = [Number(minimum), Number(maximum)]
  return Type.String({
    maxLength: 16,
    pattern: '^(0|[1-9][0-9]*)$',
    description: String(description),
    ...(Array.isArray(examples) && { examples: examples.map(String) }),
    refuse: (text: string) => {
      const number = whole(text)
      return number >= least && number <= most ? undefined : `must be a whole number from ${least} to ${most}`
    }
  })
}
