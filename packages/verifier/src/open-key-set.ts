import { fileKeySet, type KeySet, type KeySetLog } from './key-set.ts'
import { requireObject } from './options.ts'
import { RemoteKeySet, type RemoteKeySetOptions } from './remote-key-set.ts'

/** A key set of a file alone, read once: start again to change it. */
interface FileKeySetOptions {
  readonly url?: undefined
  /** The JWK set. It has to hold a usable key. */
  readonly file: string
  /** Is told of each key that is skipped. Nobody is. */
  readonly log?: KeySetLog
}

/** Where the keys of an issuer are: at a URL, or in a file alone. */
export type KeySetOptions = RemoteKeySetOptions | FileKeySetOptions

/**
 * Opens the key set of an issuer (RFC 7517 §5) and begins to fetch it, without waiting for the answer: a start does not
 * depend on the issuer.
 *
 * Throws when a file is named that holds no JWK set with a usable key, and on an option that is none.
 */
export async function openKeySet(options: KeySetOptions): Promise<KeySet> {
  requireObject(options)
  return options.url === undefined ? fileKeySet(options.file, options.log) : RemoteKeySet.open(options)
}
