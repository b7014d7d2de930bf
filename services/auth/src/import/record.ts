import { harmless } from '@latchkey/frame/harmless'
import { fieldValidator } from '@latchkey/frame/validation'
import { Problem } from '@latchkey/problems/problem'
import { type Static, Type } from 'typebox'
import { canonicalHash, refuseForeignHash } from '../passwords/foreign-hash.ts'
import { EMAIL, ROLES, USERNAME } from '../users/fields.ts'
import type { ImportedAccount } from '../users/imported.ts'
import { normalizeUsername } from '../users/username.ts'
import { type Line, LONGEST_LINE } from './lines.ts'

/** A time of RFC 3339 with its offset. Without the offset nobody knows which moment is meant. */
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/i

function refuseMoment(text: string): string | undefined {
  const day = text.slice(0, 10)
  // JavaScript reads the 31st of February as the 3rd of March.
  const isDay = MOMENT.test(text) && new Date(Date.parse(day)).toJSON()?.startsWith(day)
  const time = isDay ? Date.parse(text) : Number.NaN
  if (Number.isNaN(time)) return 'must be a time with its offset, as in 2024-05-06T07:08:09Z'
  return time < 0 || time > Date.now() ? 'must be a time between 1970 and now' : undefined
}

const MEMBERS = {
  email: EMAIL,
  username: Type.Optional(USERNAME),
  email_verified: Type.Optional(Type.Boolean()),
  roles: Type.Optional(ROLES),
  created_at: Type.Optional(Type.String({ refuse: refuseMoment }))
}
const closed = { additionalProperties: false }
const RECORD = Type.Object({ ...MEMBERS, password_hash: Type.String({ refuse: refuseForeignHash }) }, closed)
const RECORD_WITHOUT_PASSWORD = Type.Object(MEMBERS, closed)

const judge = fieldValidator()({ schema: RECORD, method: 'POST', url: '' })
const judgeWithoutPassword = fieldValidator()({ schema: RECORD_WITHOUT_PASSWORD, method: 'POST', url: '' })

type Members = Static<typeof RECORD_WITHOUT_PASSWORD> & { password_hash?: string }

/** An account, or why its line is refused. */
type Reading =
  | { readonly account: ImportedAccount; readonly fault?: never }
  | { readonly account?: never; readonly fault: string }

/**
 * Reads the account of a line: a JSON object with the members of `docs/moving-here.md`. A member that is null counts as
 * missing. But `password_hash` cannot be missing: null says that the user has no password.
 *
 * Returns nothing for a line of white space. Reasons do not repeat values, because they may be hashes.
 */
export function readRecord({ number, bytes }: Line): Reading | undefined {
  if (bytes.length > LONGEST_LINE) return { fault: `is longer than ${LONGEST_LINE} bytes` }
  const text = decoded(bytes)
  if (text === undefined) return { fault: 'is not UTF-8' }
  const json = number === 1 ? text.replace(/^\ufeff/, '') : text
  if (json.trim() === '') return undefined
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return { fault: 'is not JSON' }
  }
  return judgeRecord(value)
}

function judgeRecord(value: unknown): Reading {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { fault: 'is not a JSON object' }
  const given = Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null))
  const isWithout = 'password_hash' in value && value.password_hash === null
  const { error } = (isWithout ? judgeWithoutPassword : judge)(given) as { error?: Error }
  if (error) return { fault: faultsOf(error) }
  const account = accountOf(given as Members)
  // The address may belong to somebody else. This is also why npm run admin -- grant asks for confirmation.
  if (account.roles.includes('admin') && !account.verified) {
    return { fault: 'roles: an administrator needs email_verified; or grant the role after the import' }
  }
  return { account }
}

function accountOf({ email, username, password_hash, ...more }: Members): ImportedAccount {
  const [localPart = email] = email.split('@', 1)
  return {
    email,
    username: normalizeUsername(username ?? localPart),
    passwordHash: password_hash === undefined ? null : canonicalHash(password_hash),
    verified: more.email_verified ?? false,
    roles: [...new Set(['user', ...(more.roles ?? [])])],
    createdAt: more.created_at === undefined ? undefined : new Date(more.created_at)
  }
}

function faultsOf(error: Error): string {
  const errors = error instanceof Problem ? (error.options.errors ?? []) : []
  return harmless(errors.map(({ field, message }) => `${field} ${message}`).join('; ') || error.message)
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decoded(bytes: Buffer): string | undefined {
  try {
    return UTF8.decode(bytes)
  } catch {
    return undefined
  }
}
