import type { FieldError } from '@latchkey/tokens/errors'
import { type Static, Type } from 'typebox'
import type { Account } from './users.ts'

const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?'

/** An address of RFC 5321 §4.1.2 in its plain form: no quotes, comments or controls. Kept as sent, compared in lower case. */
export const EMAIL = Type.String({
  maxLength: 254,
  pattern: `^(?=.{1,64}@)${ATOM}(?:\\.${ATOM})*@${LABEL}(?:\\.${LABEL})*$`,
  description: 'an email address, as in ada@example.com'
})

const A_NAME = 'a name of 1 to 64 characters, without line breaks'

/** A display name as it was sent; {@link checkUsername} makes it the one that is stored. */
export const USERNAME = Type.String({ description: A_NAME })

/** A password as it was sent. Two with broken surrogates may be equal in UTF-8, so both are refused, at login too. */
export const PASSWORD = Type.String({ pattern: '^\\P{Cs}*$', description: 'text without broken characters' })

/** The form of a role: a word of at most 32 lower-case letters, digits, - and _. */
export const A_ROLE = '^[a-z][a-z0-9_-]{0,31}$'

/** A parameter that is the id of something; `what` says of what. */
export function idOf(what: string) {
  return Type.String({ pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$', description: `the id of ${what}` })
}

/** What the API shows of an account. */
export const USER = Type.Object({
  id: Type.String({ format: 'uuid' }),
  email: Type.String(),
  username: Type.String(),
  email_verified: Type.Boolean(),
  roles: Type.Array(Type.String()),
  created_at: Type.String({ format: 'date-time' })
})

/** Leaves out of an account what is nobody's business. */
export function publicUser({ id, email, username, email_verified, roles, created_at }: Account): Static<typeof USER> {
  return { id, email, username, email_verified, roles, created_at: created_at.toISOString() }
}

/** Brings a display name into the form that is stored: NFC, outer white space trimmed; or says what is wrong with it. */
export function checkUsername(sent: string): { username: string; error?: FieldError } {
  const username = sent.normalize('NFC').trim()
  const length = [...username].length
  const valid = length >= 1 && length <= 64 && username.isWellFormed() && !/[\p{Cc}\u2028\u2029]/u.test(username)
  return valid ? { username } : { username, error: { field: 'username', message: `must be ${A_NAME}` } }
}
