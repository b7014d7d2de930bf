import { generateKeyPair } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { type Keys, loadKeys } from '../src/keys/folder.ts'

const generate = promisify(generateKeyPair)
let made: Promise<Keys> | undefined

/** Keys of both kinds, `current` and `next`: made once a file, because RSA takes its time. */
export function testKeys(): Promise<Keys> {
  made ??= makeKeys()
  return made
}

async function makeKeys(): Promise<Keys> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'latchkey-keys-'))
  try {
    const slots = ['access', 'refresh'].flatMap((kind) => ['current', 'next'].map((slot) => path.join(dir, kind, slot)))
    const pems = await Promise.all(slots.map(() => rsaPem()))
    for (const [i, slot] of slots.entries()) {
      mkdirSync(path.dirname(slot), { recursive: true })
      writeFileSync(`${slot}.private.pem`, String(pems[i]), { mode: 0o600 })
    }
    return await loadKeys(dir, (message) => {
      throw new Error(message)
    })
  } finally {
    rmSync(dir, { recursive: true })
  }
}

/** A private key in PEM, as openssl writes it. */
export async function rsaPem(modulusLength = 2048, publicExponent = 65537): Promise<string> {
  const { privateKey } = await generate('rsa', { modulusLength, publicExponent })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}
