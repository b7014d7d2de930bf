import { readCacheFile } from './cache-file.ts'
import { readKeySet, type VerificationKey } from './jwk.ts'
import { type KeySetLog, readKeyFile } from './key-set.ts'

/** The files with which a key set may start. */
export interface FirstKeyFiles {
  /** A file that keeps the fetched set for the next start; without it a start needs the issuer. None. */
  readonly cacheFile?: string
  /** A file with a JWK set that is used until the first successful fetch. None. */
  readonly file?: string
}

/** The first keys, and since when they are known to be valid (milliseconds since 1970). */
interface FirstKeys {
  readonly keys: ReadonlyMap<string, VerificationKey>
  readonly goodAt: number
}

/**
 * Reads the keys that are used until the first fetch from `url`: those of the cache file if they came from there,
 * otherwise those of the seed file. Returns nothing if there are none; throws if the seed file is no key set.
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
