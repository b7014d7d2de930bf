import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestKey } from '@latchkey/testing/tokens'
import type { Kind } from '@latchkey/tokens/claims'
import { type Keys, loadKeys } from '../../services/auth/src/keys/folder.ts'

/** Test keys as the auth service reads its own from a folder. */
export async function signingKeys(keys: Readonly<Record<Kind, TestKey>>): Promise<Keys> {
  const dir = await mkdtemp(join(tmpdir(), 'latchkey-keys-'))
  try {
    for (const [kind, { privateKey }] of Object.entries(keys)) {
      const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
      await mkdir(join(dir, kind))
      await writeFile(join(dir, kind, 'current.private.pem'), pem, { mode: 0o600 })
    }
    return await loadKeys(dir, (warning) => {
      throw new Error(warning)
    })
  } finally {
    await rm(dir, { recursive: true })
  }
}
