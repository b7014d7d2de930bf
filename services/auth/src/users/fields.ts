import { type Static, Type } from 'typebox'
import type { Account } from './account.ts'
import { refuseUsername, USERNAME_PATTERN } from './username.ts'

const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?'

const LONGEST_EMAIL = 254
const EMAIL_PATTERN = `^(?=.{1,64}@)${ATOM}(?:\\.${ATOM})*@${LABEL}(?:\\.${LABEL})*$`

/** Tells whether a text is an address as {@link EMAIL} takes it. */
export function isEmail(text: string): boolean {
  return text.length <= LONGEST_EMAIL && new RegExp(EMAIL_PATTERN).test(text)
}

/** An address of RFC 5321 §4.1.2 without quotes, comments or controls. Kept as sent, compared in lower case. */
export const EMAIL = Type.String({
  maxLength: LONGEST_EMAIL,
  pattern: EMAIL_PATTERN,
  description: 'an email address, as in ada@example.com',
  examples: ['ada@example.com']
})

/** A display name as sent; `normalizeUsername` makes the stored form. */
export const USERNAME = Type.String({
  minLength: 1,
  maxLength: 1000,
  pattern: USERNAME_PATTERN,
  description: 'A display name on one line: 1 to 64 characters, counted in NFC and without white space around it',
  examples: ['Ada Lovelace'],
  refuse: refuseUsername
})

/** The form of a role: a word of at most 32 lower-case letters, digits, - and _. */
export const A_ROLE = '^[a-z][a-z0-9_-]{0,31}$'

/** Most roles of a user, with `user`: all of them are in the access token. */
export const MAX_ROLES = 16

/** The roles of a user as sent. */
export const ROLES = Type.Array(
  Type.String({ maxLength: 32, pattern: A_ROLE, description: 'a word of lower-case letters' }),
  {
    maxItems: MAX_ROLES,
    anyOf: [{ maxItems: MAX_ROLES - 1 }, { contains: { const: 'user' } }],
    uniqueItems: true,
    description: `at most ${MAX_ROLES} roles, including user, which is added if it is missing`,
    examples: [['user', 'editor']]
  }
)

/** The account as the API shows it. */
export const USER = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    email: Type.String({ examples: ['ada@example.com'] }),
    username: Type.String({ examples: ['Ada Lovelace'] }),
    email_verified: Type.Boolean(),
    roles: Type.Array(Type.String(), { examples: [['user']] }),
    created_at: Type.String({ format: 'date-time' })
  },
  { title: 'User' }
)

/** Makes the public view of an account, without its secrets. */
export function publicUser({ id, email, username, email_verified, roles, created_at }: Account): Static<typeof USER> {
  return { id, email, username, email_verified, roles, created_at: created_at.toISOString() }
}
