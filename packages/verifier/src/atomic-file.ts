import { randomUUID } from 'node:crypto'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Writes a new file and renames it, so a reader sees the old file or the new one, never a part. Makes its folder. */
export async function writeAtomically(path: string, content: string | readonly Uint8Array[]): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  // Not the process id: instances in containers share a volume and all have id 1.
  const beside = `${path}.${randomUUID()}.tmp`
  try {
    await writeFile(beside, content, { mode: 0o600 })
    await rename(beside, path)
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  }
}
