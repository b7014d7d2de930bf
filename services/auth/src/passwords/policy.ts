import { Problem } from '@latchkey/problems/problem'
import { COMMON_PASSWORDS } from './common-passwords.ts'
import { MAX_BYTES } from './engine.ts'

/** The account for which a password is chosen. */
interface Owner {
  readonly email: string
  readonly username: string
}

/** Longest password as sent, in UTF-16 units, because processing takes time in proportion. */
export const LONGEST_SENT = 300

/** Shorter words may be in a password by chance. */
const SHORTEST_WORD = 4

/**
 * Makes the form of a password that is hashed, which is the same from every keyboard: other spaces become U+0020, then
 * NFC (OpaqueString, RFC 8265 §4.2.2).
 */
export function normalizePassword(password: string): string {
  return password.replace(/\p{Zs}/gu, ' ').normalize('NFC')
}

/** Tells whether bcrypt uses the whole of a normalized password. */
export function fitsBcrypt(password: string): boolean {
  return Buffer.byteLength(password) <= MAX_BYTES
}

/**
 * Says why no account can have a password, or nothing; call it before any other work on a password.
 *
 * It may have 300 UTF-16 units as sent. Control characters are refused (RFC 8265 §4.2.2): bcrypt repeats a short key
 * with a NUL between, so two texts with a NUL could open the same account. Halves of surrogate pairs are refused,
 * because all are the same in UTF-8.
 */
export function refuseUnreadable(sent: string): string | undefined {
  if (sent.length > LONGEST_SENT) return `must have at most ${LONGEST_SENT} characters`
  if (/\p{Cc}/u.test(sent)) return 'must not have control characters'
  return sent.isWellFormed() ? undefined : 'must be text without broken characters'
}

/**
 * Says why a password cannot be chosen, or nothing; it does not call {@link isOwnWord}.
 *
 * Beyond {@link refuseUnreadable}: at least `minLength` code points, at most 72 bytes of UTF-8, no common password.
 * There are no rules of composition, as NIST SP 800-63B-4 §3.1.1.2 asks.
 */
export function refusePassword(sent: string, minLength: number): string | undefined {
  const unreadable = refuseUnreadable(sent)
  if (unreadable !== undefined) return unreadable
  const password = normalizePassword(sent)
  if ([...password].length < minLength) return `must have at least ${minLength} characters`
  if (!fitsBcrypt(password)) return `must have at most ${MAX_BYTES} bytes (letters beyond ASCII have more than one)`
  // It has no line end of its own, because control characters are refused.
  const isCommon = COMMON_PASSWORDS.includes(`\n${password.toLowerCase()}\n`)
  return isCommon ? 'must not be one of the common passwords' : undefined
}

/** The message for {@link isOwnWord}. */
export const OWN_WORD = 'must not be your own name or address, or the name of this service'

/**
 * Tells whether a password that passed {@link refusePassword} is only a word of the account, with digits and
 * punctuation around it.
 */
export function isOwnWord(sent: string, { email, username }: Owner): boolean {
  const password = normalizePassword(sent).toLowerCase()
  const [localPart = ''] = email.split('@')
  const words = [username, email, localPart, 'latchkey'].map((word) => word.toLowerCase())
  return words.some(
    (word) => isLong(word) && (word === password || (isLong(core(word)) && core(word) === core(password)))
  )
}

/** Refuses a new password that is a word of its account ({@link isOwnWord}), with `invalid_input` for its field. */
export function refuseOwnWord(field: string, sent: string, owner: Owner): void {
  if (isOwnWord(sent, owner)) throw new Problem('invalid_input', { errors: [{ field, message: OWN_WORD }] })
}

function isLong(word: string): boolean {
  return [...word].length >= SHORTEST_WORD
}

// The word without surrounding digits and punctuation: from its first to its last letter, in one pass.
function core(text: string): string {
  return /\p{L}(?:.*\p{L})?/su.exec(text)?.[0] ?? ''
}
