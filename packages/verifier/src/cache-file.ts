import { readFile } from 'node:fs/promises'
import { writeAtomically } from './atomic-file.ts'

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

/** Keeps a key set for the next start. */
export function writeCacheFile(path: string, cached: CachedSet): Promise<void> {
  return writeAtomically(path, JSON.stringify(cached))
}
