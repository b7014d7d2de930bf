import { type KeySet, type KeySetLog, openKeySet } from '@latchkey/verifier'
import type { Config } from './config.ts'

/** Opens the key set of the settings: the issuer's, or that of a file if there is no URL. */
export function openKeys(config: Config, log: KeySetLog): Promise<KeySet> {
  const { JWKS_URL, JWKS_FILE, JWKS_CACHE_FILE } = config
  if (JWKS_URL === undefined) return openKeySet({ file: String(JWKS_FILE), log })
  return openKeySet({
    url: JWKS_URL,
    ...(JWKS_FILE && { file: JWKS_FILE }),
    ...(JWKS_CACHE_FILE && { cacheFile: JWKS_CACHE_FILE }),
    minAge: config.JWKS_MIN_AGE,
    maxAge: config.JWKS_MAX_AGE,
    staleAge: config.JWKS_STALE_AGE,
    cooldown: config.JWKS_COOLDOWN,
    timeout: config.JWKS_TIMEOUT,
    log
  })
}
