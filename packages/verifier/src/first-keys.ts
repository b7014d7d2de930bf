import { readCacheFile } from './cache-file.ts'
import { readKeySet, type VerificationKey } from './jwk.ts'
import { type KeySetLog, readKeyFile } from './key-set.ts'

/** The files that the key set of an issuer may begin with. */
export interface FirstKeyFiles {
  /** A file that a fetched set is kept in and read from at the start: without it a start needs the issuer. None. */
  readonly cacheFile?: string
  /** A JWK set in a file that stands in until the first one is fetched, and never after. None. */
  readonly file?: string
}

/** Keys to begin with, and since when they are known to be good (milliseconds since 1970). */
interface FirstKeys {
  readonly keys: ReadonlyMap<string, VerificationKey>
  readonly goodAt: number
}

/**
 * Reads the keys that stand in until the first fetch from `url`: the cache file's if they came from there, else the seed
 * file's. Nothing when there are none; throws when a seed file is named and is no key set.
 */
export async function readFirstKeys(
  { cacheFile, file }: FirstKeyFiles,
  { url, now, log }: { url: string; now: number; log: KeySetLog }
): Promise<FirstKeys | undefined> {
  const cached = cacheFile ? await readCacheFile(cacheFile, url, now) : undefined
  const skipped = (reason: string) => log.warn({ path: cacheFile }, reason)
  const keys = cached ? readKeySet(JSON.stringify(cached), new Map(), skipped) : undefined
  if (cached && keys?.size) return { keys, goodAt: cached.good_at }
  return file ? { keys: await readKeyFile(file, log), goodAt: now } : undefined
}
