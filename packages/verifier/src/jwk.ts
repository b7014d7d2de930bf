import { createPublicKey, verify } from 'node:crypto'
import { weaknessOf } from '@latchkey/tokens/weak-modulus'

/** A public key that verifies tokens. It stays the same object while its key set lists it unchanged. */
export interface VerificationKey {
  readonly kid: string
  /** The public members as in the key set. */
  readonly jwk: { readonly kty: 'RSA'; readonly n: string; readonly e: string; readonly kid: string }
  /** Tells whether this key made the signature of a token (compact form, RS256). */
  verifies(token: string): boolean
}

const KID = /^[A-Za-z0-9_-]{1,128}$/
const EXPONENT_65537 = 'AQAB'
const LEAST_BITS = 2048
/** Largest key that OpenSSL verifies with. */
const MOST_BITS = 16_384
/** Most skipped keys that are logged one by one; beyond, only their number is. */
const MOST_TOLD = 8
/** Longest logged part of a kid, in UTF-16 units; a valid one is not longer. */
const LONGEST_NAME = 128
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/**
 * Reads the usable keys of a JWK set (RFC 7517 §5): RSA for signatures, RS256, 2048 to 16,384 bits, exponent 65537, and
 * not known to be easy to factor.
 *
 * Every other key is skipped separately, and `skipped` gets the reason, except for unknown kinds of keys. Keys of
 * `held` that are still listed stay the same objects. Returns nothing if the text is no set.
 */
export function readKeySet(
  text: string,
  held: ReadonlyMap<string, VerificationKey>,
  skipped: (reason: string) => void
): Map<string, VerificationKey> | undefined {
  const listed = listedKeys(text)
  if (!listed) return undefined
  const keys = new Map<string, VerificationKey>()
  let faults = 0
  for (const jwk of listed) {
    if (jwk['kty'] !== 'RSA') continue
    const fault = keys.has(jwk['kid'] as string) ? 'its kid stands twice' : unusable(jwk)
    if (fault) {
      faults += 1
      if (faults <= MOST_TOLD) skipped(`key ${nameOf(jwk)} of the set is skipped: ${fault}`)
      continue
    }
    const { n, e, kid } = jwk as { n: string; e: string; kid: string }
    const known = held.get(kid)
    keys.set(kid, known?.jwk.n === n && known.jwk.e === e ? known : createKey({ kty: 'RSA', n, e, kid }))
  }
  if (faults > MOST_TOLD) skipped(`${faults - MOST_TOLD} more keys of the set are skipped`)
  return keys
}

// The kid is the issuer's text, so control characters and line ends are escaped.
function nameOf({ kid }: Record<string, unknown>): string {
  if (typeof kid !== 'string') return 'without a kid that is a text'
  return JSON.stringify(kid.slice(0, LONGEST_NAME)).replace(/[^ -~]/g, written)
}

function written(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function listedKeys(text: string): Record<string, unknown>[] | undefined {
  try {
    const set: unknown = JSON.parse(text)
    const keys = typeof set === 'object' && set !== null && 'keys' in set ? set.keys : undefined
    return Array.isArray(keys) ? keys.filter((key) => typeof key === 'object' && key !== null) : undefined
  } catch {
    return undefined
  }
}

function unusable(jwk: Record<string, unknown>): string | undefined {
  const { kid, use = 'sig', alg = 'RS256', key_ops: operations = ['verify'], n, e } = jwk
  if (typeof kid !== 'string' || !KID.test(kid)) return 'its kid is not 1 to 128 base64url characters'
  if (use !== 'sig') return 'it is not for signatures'
  if (alg !== 'RS256') return 'it is not for RS256'
  if (!Array.isArray(operations) || !operations.includes('verify')) return 'it is not for verifying'
  if (PRIVATE_MEMBERS.some((member) => member in jwk)) return 'it holds private members'
  if (e !== EXPONENT_65537) return 'its exponent is not 65537'
  return unusableModulus(n)
}

function unusableModulus(n: unknown): string | undefined {
  const modulus = Buffer.from(typeof n === 'string' ? n : '', 'base64url')
  const [first = 0] = modulus
  const last = modulus.at(-1) ?? 0
  if (modulus.toString('base64url') !== n || first === 0) return 'its modulus is not written canonically'
  const bits = modulus.length * 8 - (Math.clz32(first) - 24)
  if (bits < LEAST_BITS) return `it has ${bits} bits; ${LEAST_BITS} is the least`
  if (bits > MOST_BITS) return `it has ${bits} bits; ${MOST_BITS} is the most`
  if (last % 2 === 0) return 'its modulus is even'
  return weaknessOf(BigInt(`0x${modulus.toString('hex')}`))
}

function createKey(jwk: VerificationKey['jwk']): VerificationKey {
  const key = createPublicKey({ key: { ...jwk }, format: 'jwk' })
  return {
    kid: jwk.kid,
    jwk,
    verifies: (token) => {
      const end = token.lastIndexOf('.')
      const signed = Buffer.from(token.slice(0, end), 'latin1')
      const signature = Buffer.from(token.slice(end + 1), 'base64url')
      // RSASSA-PKCS1-v1_5 is Node's default padding for such a key, and that of RS256 (RFC 7518 §3.3).
      return verify('sha256', signed, key, signature)
    }
  }
}
