import { readFile } from 'node:fs/promises'
import { readKeySet, type VerificationKey } from './jwk.ts'

/** Where a verifier gets its keys. */
export interface KeySet {
  /** The key of this `kid` if a usable set is held and lists it; looks, and does nothing else. */
  held(kid: string): VerificationKey | undefined
  /**
   * The key of this `kid`, asking the issuer when that may help.
   *
   * Nothing when the set is known to lack it; throws `unavailable` when that cannot be known now.
   */
  find(kid: string): Promise<VerificationKey | undefined>
  /** Says why no token can be verified now, or nothing when it can. */
  unready(): string | undefined
  /** Stops all work in the background. */
  close(): void
}

/** What a key set tells about itself; a Fastify or pino logger fits. */
export interface KeySetLog {
  info(details: object, message: string): void
  warn(details: object, message: string): void
}

/** Reads the usable keys of a JWK set in a file. Throws when there are none. */
export async function readKeyFile(path: string, log: KeySetLog): Promise<ReadonlyMap<string, VerificationKey>> {
  const keys = readKeySet(await readFile(path, 'utf8'), new Map(), (reason) => log.warn({ path }, reason))
  if (!keys?.size) throw new Error(`${path}: holds no JWK set with a usable key.`)
  return keys
}

/** Reads a key set from a file, once. It never grows old; start again to change it. Throws when it holds no usable key. */
export async function fileKeySet(path: string, log: KeySetLog): Promise<KeySet> {
  const keys = await readKeyFile(path, log)
  return {
    held: (kid) => keys.get(kid),
    find: async (kid) => keys.get(kid),
    unready: () => undefined,
    close: () => {}
  }
}
