import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { weaknessOf } from '@latchkey/tokens/weak-modulus'
import { calculateJwkThumbprint, exportJWK } from 'jose'

/** A signing key from a file. */
export interface SigningKey {
  /** RFC 7638 thumbprint of the public half. */
  readonly kid: string
  /** `current`, `next` or `previous-<UTC time>`: what the operator wants with the key. */
  readonly slot: string
  readonly privateKey: KeyObject
  /** SubjectPublicKeyInfo in PEM. */
  readonly publicPem: string
  /** Only the public members, as a key set lists them (RFC 7517 §4). */
  readonly jwk: { kty: 'RSA'; n: string; e: string; kid: string; use: 'sig'; alg: 'RS256' }
}

/** A key file that cannot be used; the message begins with its path. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError'

  constructor(path: string, problem: string, cause?: unknown) {
    super(`${path}: ${problem}`, { cause })
  }
}

/**
 * Makes a signing key from a private key in PEM (PKCS#8 or PKCS#1, without a passphrase).
 *
 * It must be RSA of 2048 bits or more with exponent 65537 (RFC 7518 §3.3) and not known to be easy to factor. Throws
 * {@link KeyFileError}.
 */
export async function parseKey(path: string, slot: string, pem: Buffer): Promise<SigningKey> {
  const privateKey = parse(path, pem)
  const publicKey = createPublicKey(privateKey)
  const { n = '', e = '' } = await exportJWK(publicKey)
  const weakness = weaknessOf(BigInt(`0x${Buffer.from(n, 'base64url').toString('hex')}`))
  if (weakness) throw new KeyFileError(path, `is no safe key: ${weakness}. Make another one.`)
  const kid = await calculateJwkThumbprint({ kty: 'RSA', n, e })
  return {
    kid,
    slot,
    privateKey,
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    jwk: { kty: 'RSA', n, e, kid, use: 'sig', alg: 'RS256' }
  }
}

function parse(path: string, pem: Buffer): KeyObject {
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch (error) {
    throw new KeyFileError(path, 'is no private key in PEM, or has a passphrase.', error)
  }
  const { modulusLength = 0, publicExponent } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType !== 'rsa')
    throw new KeyFileError(path, `is a key of type ${key.asymmetricKeyType}, not RSA.`)
  if (modulusLength < 2048) throw new KeyFileError(path, `has ${modulusLength} bits; 2048 is the least.`)
  if (publicExponent !== 65537n) throw new KeyFileError(path, `has the public exponent ${publicExponent}, not 65537.`)
  return key
}
