import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { reasonOf } from '@latchkey/problems/reason'
import { type CryptoKey, calculateJwkThumbprint, exportJWK, importJWK, importSPKI, type JWK } from 'jose'

/** Public keys by their `kid`, the RFC 7638 thumbprint. */
export type PublicKeys = ReadonlyMap<string, CryptoKey>

/**
 * Reads the public keys of one `--keys`: a folder with `*.public.pem` (also in its folders `access` and `revoked`), a
 * file with such a key, or a key set (RFC 7517 §5). Throws if there is no key that could sign a head.
 */
export async function readPublicKeys(path: string): Promise<PublicKeys> {
  const info = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new Error(error.code === 'ENOENT' ? `there is no file or folder ${path}` : `${path}: ${error.code}`)
  })
  const files = info.isDirectory() ? await pemsOf(path) : [path]
  if (files.length === 0) throw new Error(`${path} contains no *.public.pem, and no folder access that does`)
  const keys = new Map<string, CryptoKey>()
  for (const file of files) for (const [kid, key] of await keysOf(file)) keys.set(kid, key)
  return keys
}

const FOLDERS = ['.', 'revoked', 'access', 'access/revoked']

async function pemsOf(dir: string): Promise<string[]> {
  const found: string[] = []
  for (const folder of FOLDERS) {
    const names = await readdir(join(dir, folder)).catch(() => [])
    found.push(...names.filter((name) => name.endsWith('.public.pem')).map((name) => join(dir, folder, name)))
  }
  return found
}

async function keysOf(file: string): Promise<[kid: string, key: CryptoKey][]> {
  try {
    const text = await readFile(file, 'utf8')
    if (!text.trimStart().startsWith('{')) return [await byThumbprint(await importSPKI(text, 'RS256', EXTRACTABLE))]
    const set = JSON.parse(text) as JWK & { keys?: JWK[] }
    const usable = (set.keys ?? [set]).filter((jwk) => jwk?.kty === 'RSA' && (jwk.alg ?? 'RS256') === 'RS256')
    if (usable.length === 0) throw new Error('it has no RSA key for RS256')
    return await Promise.all(usable.map(publicKeyOf))
  } catch (error) {
    throw new Error(`${file} is no public key in PEM and no JWK set: ${reasonOf(error)}`, { cause: error })
  }
}

const EXTRACTABLE = { extractable: true }

/** Makes the key of a JWK, of which only the public half counts. Throws if it is no RSA key. */
export async function publicKeyOf({ kty, n, e }: JWK): Promise<[kid: string, key: CryptoKey]> {
  if (kty !== 'RSA' || !n || !e) throw new Error('it is no RSA key')
  const key = await importJWK({ kty, n, e, alg: 'RS256' }, 'RS256', EXTRACTABLE)
  return byThumbprint(key as CryptoKey)
}

async function byThumbprint(key: CryptoKey): Promise<[string, CryptoKey]> {
  return [await calculateJwkThumbprint(await exportJWK(key)), key]
}
