import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Kind } from '@latchkey/tokens/claims'
import { type CryptoKey, calculateJwkThumbprint, exportJWK, importPKCS8 } from 'jose'

/** One signing key, as its file was read. */
export interface SigningKey {
  /** RFC 7638 thumbprint of the public half. */
  readonly kid: string
  /** `current`, `next` or `previous-<UTC time>`. */
  readonly slot: string
  readonly privateKey: CryptoKey
  /** SubjectPublicKeyInfo in PEM. */
  readonly publicPem: string
  /** The public members alone, as a key set lists them (RFC 7517 §4). */
  readonly jwk: { kty: 'RSA'; n: string; e: string; kid: string; use: 'sig'; alg: 'RS256' }
}

/** The keys of one kind: the one that signs, and all that are accepted, by their `kid`. */
export interface KeyRing {
  readonly current: SigningKey
  readonly accepted: ReadonlyMap<string, SigningKey>
}

/** The keys of both kinds. */
export type Keys = Readonly<Record<Kind, KeyRing>>

/** A key file that cannot be used; the message begins with its path. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError'

  constructor(path: string, problem: string, cause?: unknown) {
    super(`${path}: ${problem}`, { cause })
  }
}

const FILE = /^(current|next|previous-[0-9A-Za-z-]+)\.private\.pem$/
const HOW_TO = 'scripts/generate-keys.sh makes keys where there are none.'

/**
 * Reads the signing keys of both kinds from `<dir>/<kind>/<slot>.private.pem`.
 *
 * Only RSA of 2048 bits or more with exponent 65537 (RFC 7518 §3.3); no key may stand twice, also not once a kind.
 * `warn` hears of files that others may read. Throws {@link KeyFileError}.
 */
export async function loadKeys(dir: string, warn: (message: string) => void): Promise<Keys> {
  const [access, refresh] = await Promise.all([
    loadRing(join(dir, 'access'), warn),
    loadRing(join(dir, 'refresh'), warn)
  ])
  for (const [kid, { slot }] of refresh.accepted) {
    const path = join(dir, 'refresh', `${slot}.private.pem`)
    if (access.accepted.has(kid)) throw new KeyFileError(path, 'is an access key too. Each kind needs keys of its own.')
  }
  return { access, refresh }
}

async function loadRing(dir: string, warn: (message: string) => void): Promise<KeyRing> {
  const files = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    throw new KeyFileError(dir, `cannot be read (${error.code}). ${HOW_TO}`, error)
  })
  const accepted = new Map<string, SigningKey>()
  for (const file of files.sort()) {
    const slot = FILE.exec(file)?.[1]
    if (!slot) continue
    const path = join(dir, file)
    const key = await loadKey(path, slot, warn)
    const twin = accepted.get(key.kid)
    if (twin) throw new KeyFileError(path, `is the same key as ${twin.slot}.private.pem.`)
    accepted.set(key.kid, key)
  }
  const current = [...accepted.values()].find(({ slot }) => slot === 'current')
  if (!current) throw new KeyFileError(join(dir, 'current.private.pem'), `is missing. ${HOW_TO}`)
  return { current, accepted }
}

async function loadKey(path: string, slot: string, warn: (message: string) => void): Promise<SigningKey> {
  const [{ mode }, pem] = await Promise.all([stat(path), readFile(path)]).catch((error) => {
    throw new KeyFileError(path, `cannot be read (${error.code}).`, error)
  })
  if (mode & 0o077) warn(`${path}: others may read this private key. Run chmod 600 on it.`)
  const privateKey = parse(path, pem)
  const publicKey = createPublicKey(privateKey)
  const { n = '', e = '' } = await exportJWK(publicKey)
  const kid = await calculateJwkThumbprint({ kty: 'RSA', n, e })
  return {
    kid,
    slot,
    privateKey: await importPKCS8(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 'RS256'),
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
