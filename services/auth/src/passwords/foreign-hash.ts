/** The bcrypt costs that are taken from elsewhere: none is made here beyond, and a login would take too long. */
const MOST = 15
const LEAST = 4

/** The base64 of bcrypt, in the order of its values. */
const DIGITS = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** `$2b$11$`, 22 digits of salt, 31 of the hash. */
const FORM = /^\$2([abxy])\$(\d\d)\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})$/

/** Where the salt and the hash end. Their last digits have 2 and 4 bits that count, of 6. */
const LAST_OF_SALT = 28
const LAST_OF_HASH = 59

/** Says why a hash from elsewhere opens no account here, or nothing. It does not repeat the hash. */
export function refuseForeignHash(hash: string): string | undefined {
  const [, minor, digits] = FORM.exec(hash) ?? []
  if (minor === undefined) return 'must be a bcrypt hash: 60 characters that begin with $2a$, $2b$ or $2y$'
  // crypt_blowfish before 1.1 mixed up letters beyond ASCII, so that different passwords could have one hash.
  if (minor === 'x') return 'must not be of the faulty kind $2x$: its user needs a new password'
  const cost = Number(digits)
  return cost < LEAST || cost > MOST ? `must have a cost from ${LEAST} to ${MOST}` : undefined
}

/**
 * Makes the one form of a hash that passed {@link refuseForeignHash}. The last digits of salt and hash have bits without
 * a meaning, which some programs leave at random; bcryptjs compares texts, and would find no password right.
 */
export function canonicalHash(hash: string): string {
  const salt = cleared(hash.charAt(LAST_OF_SALT), 0b110000)
  const end = cleared(hash.charAt(LAST_OF_HASH), 0b111100)
  return hash.slice(0, LAST_OF_SALT) + salt + hash.slice(LAST_OF_SALT + 1, LAST_OF_HASH) + end
}

function cleared(digit: string, mask: number): string {
  return DIGITS.charAt(DIGITS.indexOf(digit) & mask)
}

/** Returns the cost of a well-formed hash. */
export function costOf(hash: string): number {
  return Number(hash.slice(4, 6))
}
