import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** A new file that is so old, in milliseconds, is of a process that was killed while it wrote. */
const LEFT_BEHIND = 3_600_000

/** How the name of a new file ends. */
const UNIQUE = /\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/

/** Paths beside which this process has looked. */
const cleaned = new Set<string>()

/**
 * Writes a new file and renames it, so a reader sees the old file or the new one, never a part. Makes its folder. The first
 * time it removes what killed processes have left beside it more than an hour ago.
 */
export async function writeAtomically(path: string, content: string | readonly Uint8Array[]): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  if (!cleaned.has(path)) await removeLeftBehind(path)
  cleaned.add(path)
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

// What cannot be removed stays: it is in nobody's way.
async function removeLeftBehind(path: string): Promise<void> {
  const folder = dirname(path)
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.startsWith(`${basename(path)}.`) || !UNIQUE.test(name)) continue
    const beside = join(folder, name)
    const written = await stat(beside).catch(() => undefined)
    if (written && Date.now() - written.mtimeMs > LEFT_BEHIND) await rm(beside, { force: true }).catch(() => {})
  }
}
