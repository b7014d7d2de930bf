import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** A kept key set: its URL, and when its fetch began (milliseconds since 1970). */
interface CachedSet {
  readonly url: string
  readonly good_at: number
  readonly keys: readonly object[]
}

/** Reads a kept key set; nothing if there is none for this URL or its time is not in the past. */
export async function readCacheFile(path: string, url: string, now: number): Promise<CachedSet | undefined> {
  try {
    const cached: CachedSet = JSON.parse(await readFile(path, 'utf8'))
    const usable = cached.url === url && Number.isFinite(cached.good_at) && cached.good_at <= now
    return usable && Array.isArray(cached.keys) ? cached : undefined
  } catch {
    return undefined // missing, or cut off when an older version wrote it: the issuer has it anyway
  }
}

/** Keeps a key set. It writes a new file and renames it, so a reader sees the old file or the new one, never a part. */
export async function writeCacheFile(path: string, cached: CachedSet): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  // Not the process id: instances in containers share a volume and all have id 1.
  const beside = `${path}.${randomUUID()}.tmp`
  try {
    await writeFile(beside, JSON.stringify(cached), { mode: 0o600 })
    await rename(beside, path)
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  }
}
