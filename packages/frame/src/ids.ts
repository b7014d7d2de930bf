import { Type } from 'typebox'

const ID_LENGTH = 36
const AN_ID = '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
const ID = new RegExp(AN_ID)

/** An id as a parameter; `what` says of what. {@link canonicalId} makes the form for comparisons. */
export function idOf(what: string) {
  const examples = ['00000000-0000-4000-8000-000000000000']
  return Type.String({ maxLength: ID_LENGTH, pattern: AN_ID, description: `the id of ${what}`, examples })
}

/** Tells whether a text has the form of an id, as {@link idOf} does, where no schema has looked at it. */
export function isId(sent: string): boolean {
  return sent.length === ID_LENGTH && ID.test(sent)
}

/**
 * Makes the form of an id that rows and tokens have: upper-case hex digits are accepted, but never written (RFC 9562
 * §4).
 */
export function canonicalId(sent: string): string {
  return sent.toLowerCase()
}
