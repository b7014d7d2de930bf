import { fileKeySet, type KeySet, type KeySetLog } from './key-set.ts'
import { requireObject } from './options.ts'
import { RemoteKeySet } from './remote-key-set.ts'
import type { RemoteKeySetOptions } from './remote-key-set-options.ts'

/** A key set from a file only, read once: restart to change it. */
interface FileKeySetOptions {
  readonly url?: undefined
  /** The file with the JWK set, which must have a usable key. */
  readonly file: string
  /** Gets each skipped key. None. */
  readonly log?: KeySetLog
}

/** The place of an issuer's keys: a URL, or only a file. */
export type KeySetOptions = RemoteKeySetOptions | FileKeySetOptions

/**
 * Opens the key set of an issuer (RFC 7517 §5) and starts to fetch it, without waiting for the answer: a start does not
 * depend on the issuer.
 *
 * Throws if a named file has no usable key, and on an invalid option.
 */
export async function openKeySet(options: KeySetOptions): Promise<KeySet> {
  requireObject(options)
  return options.url === undefined ? fileKeySet(options.file, options.log) : RemoteKeySet.open(options)
}
