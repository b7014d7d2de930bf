import { createHash, createPublicKey, generateKeyPair } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import { type Keys, loadKeys } from '../src/keys/folder.ts'

const generate = promisify(generateKeyPair)
const made = new Map<string, Promise<Keys>>()

/** Keys of both kinds, in the slot `current` or in these: made once a file, because RSA takes its time. */
export function testKeys(slots: readonly string[] = ['current']): Promise<Keys> {
  const keys = made.get(slots.join()) ?? makeKeys(slots)
  made.set(slots.join(), keys)
  return keys
}

async function makeKeys(slots: readonly string[]): Promise<Keys> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'latchkey-keys-'))
  try {
    const files = ['access', 'refresh'].flatMap((kind) => slots.map((slot) => path.join(dir, kind, slot)))
    const pems = await Promise.all(files.map(() => rsaPem()))
    for (const [i, file] of files.entries()) {
      mkdirSync(path.dirname(file), { recursive: true })
      writeFileSync(`${file}.private.pem`, String(pems[i]), { mode: 0o600 })
    }
    return await loadKeys(dir, (message) => {
      throw new Error(message)
    })
  } finally {
    rmSync(dir, { recursive: true })
  }
}

/** A folder of the test with a key of each kind in the slot `current`. */
export function keysDir(t: Test, pems: { access: string; refresh: string }, mode = 0o600): string {
  const dir = t.testdir()
  for (const [kind, pem] of Object.entries(pems)) {
    mkdirSync(path.join(dir, kind))
    writeFileSync(path.join(dir, kind, 'current.private.pem'), pem, { mode })
  }
  return dir
}

/** A private key in PEM, as openssl writes it. */
export async function rsaPem(modulusLength = 2048, publicExponent = 65537): Promise<string> {
  const { privateKey } = await generate('rsa', { modulusLength, publicExponent })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** The RFC 7638 thumbprint of a key. */
export function kidOf(pem: string): string {
  const { e, n } = createPublicKey(pem).export({ format: 'jwk' })
  return createHash('sha256')
    .update(JSON.stringify({ e, kty: 'RSA', n }))
    .digest('base64url')
}
