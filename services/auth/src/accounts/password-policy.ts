import { dictionary } from '@zxcvbn-ts/language-common'

/** Whose password it is to be. */
export interface Owner {
  readonly email: string
  readonly username: string
}

/** bcrypt does not look at what comes after, so two longer passwords could open the same account. */
const MAX_BYTES = 72

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
 * Says why a password cannot be chosen, or nothing when it can.
 *
 * At least `minLength` code points, at most 72 bytes of UTF-8, no common password, not the account's own words. No rules
 * of composition, as NIST SP 800-63B-4 §3.1.1.2 asks.
 */
export function refusePassword(sent: string, minLength: number, owner: Owner): string | undefined {
  const password = normalizePassword(sent)
  if ([...password].length < minLength) return `must have at least ${minLength} characters`
  if (!fitsBcrypt(password)) return `must have at most ${MAX_BYTES} bytes (letters beyond ASCII have more than one)`
  const lower = password.toLowerCase()
  if (COMMON.has(lower)) return 'must not be one of the common passwords'
  const [localPart = ''] = owner.email.split('@')
  const words = [owner.username, owner.email, localPart, 'latchkey'].map((word) => word.toLowerCase())
  const own = words.some(
    (word) => isLong(word) && (word === lower || (isLong(core(word)) && core(word) === core(lower)))
  )
  return own ? 'must not be your own name or address, or the name of this service' : undefined
}

function isLong(word: string): boolean {
  return [...word].length >= SHORTEST_WORD
}

// Without the digits and punctuation that people put around a word.
function core(text: string): string {
  return text.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '')
}
