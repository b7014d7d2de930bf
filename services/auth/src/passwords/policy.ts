import { dictionary } from '@zxcvbn-ts/language-common'

/** Whose password it is to be. */
interface Owner {
  readonly email: string
  readonly username: string
}

/** Longest password as it is sent, in UTF-16 units: what is done to one grows with it. */
export const LONGEST_SENT = 300

/** bcrypt does not look at what comes after, so two longer passwords could open the same account. */
export const MAX_BYTES = 72

/** Words shorter than this may stand in a password by chance. */
const SHORTEST_WORD = 4

const COMMON = new Set(dictionary['passwords-common'].map((word) => String(word).toLowerCase()))

/**
 * Brings a password into the form that is hashed: other spaces become U+0020, then NFC (OpaqueString, RFC 8265 §4.2.2),
 * so that it is the same from every keyboard.
 */
export function normalizePassword(password: string): string {
  return password.replace(/\p{Zs}/gu, ' ').normalize('NFC')
}

/** Tells whether bcrypt would look at the whole of a normalized password. */
export function fitsBcrypt(password: string): boolean {
  return Buffer.byteLength(password) <= MAX_BYTES
}

/**
 * Says why no account can have a password, or nothing; asked wherever one is read, before anything is done to it.
 *
 * At most 300 UTF-16 units as sent. No control characters (RFC 8265 §4.2.2): bcrypt repeats what is shorter than its
 * key with a NUL in between, so that of two texts with one in them both could open an account. No halves of surrogate
 * pairs, which are all the same in UTF-8.
 */
export function refuseUnreadable(sent: string): string | undefined {
  if (sent.length > LONGEST_SENT) return `must have at most ${LONGEST_SENT} characters`
  if (/\p{Cc}/u.test(sent)) return 'must not have control characters'
  return sent.isWellFormed() ? undefined : 'must be text without broken characters'
}

/**
 * Says why a password cannot be chosen, or nothing when it can; {@link isOwnWord} is left to ask.
 *
 * Beyond {@link refuseUnreadable} at least `minLength` code points, at most 72 bytes of UTF-8, no common password. No
 * rules of composition, as NIST SP 800-63B-4 §3.1.1.2 asks.
 */
export function refusePassword(sent: string, minLength: number): string | undefined {
  const unreadable = refuseUnreadable(sent)
  if (unreadable !== undefined) return unreadable
  const password = normalizePassword(sent)
  if ([...password].length < minLength) return `must have at least ${minLength} characters`
  if (!fitsBcrypt(password)) return `must have at most ${MAX_BYTES} bytes (letters beyond ASCII have more than one)`
  return COMMON.has(password.toLowerCase()) ? 'must not be one of the common passwords' : undefined
}

/** What is said of an {@link isOwnWord}. */
export const OWN_WORD = 'must not be your own name or address, or the name of this service'

/** Tells whether a password that passed {@link refusePassword} is a word of the account, digits and punctuation around it aside. */
export function isOwnWord(sent: string, { email, username }: Owner): boolean {
  const password = normalizePassword(sent).toLowerCase()
  const [localPart = ''] = email.split('@')
  const words = [username, email, localPart, 'latchkey'].map((word) => word.toLowerCase())
  return words.some(
    (word) => isLong(word) && (word === password || (isLong(core(word)) && core(word) === core(password)))
  )
}

function isLong(word: string): boolean {
  return [...word].length >= SHORTEST_WORD
}

// Without the digits and punctuation that people put around a word: from its first letter to its last, found in one go.
function core(text: string): string {
  return /\p{L}(?:.*\p{L})?/su.exec(text)?.[0] ?? ''
}
