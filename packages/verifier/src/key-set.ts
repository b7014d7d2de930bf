import { readFile } from 'node:fs/promises'
import type { KeySetState } from './fetch-policy.ts'
import { readKeySet, type VerificationKey } from './jwk.ts'
import { requireMethods, requireTexts } from './options.ts'

/** Whom a verifier asks for keys. */
export interface KeySource {
  /** The key of this `kid` if a usable set is held and lists it; looks, and does nothing else. */
  held(kid: string): VerificationKey | undefined
  /**
   * The key of this `kid`, asking the issuer when that may help.
   *
   * Nothing when the set is known to lack it; throws `unavailable` when that cannot be known now.
   */
  find(kid: string): Promise<VerificationKey | undefined>
  /**
   * The same of what is held now: asks nobody and does not wait, for a token that is worth no request to the issuer.
   *
   * A source without it holds all the keys that there are.
   */
  lookUp?(kid: string): VerificationKey | undefined
}

/** A key source with a life of its own. */
export interface KeySet extends KeySource {
  /** How it stands, for metrics and logs. */
  status(): KeySetStatus
  /** Says why no token can be verified now, or nothing when it can: for readiness. */
  unready(): string | undefined
  /** Stops all work in the background and ends the waiting of requests; what is held stays. */
  close(): void
}

/** How a key set stands. */
export interface KeySetStatus {
  readonly state: KeySetState
  /** The keys that tokens are verified with now; none while `empty`. */
  readonly kids: readonly string[]
  /** When the last good fetch began, in milliseconds since 1970; missing before the first. */
  readonly goodAt?: number
  /** Seconds since then. */
  readonly age?: number
  /** Fetches that failed since then. */
  readonly failures: number
  /** Seconds until the timer begins the next fetch, 0 while one is due; missing where none will come. */
  readonly nextFetch?: number
}

/** What a key set tells about itself; a Fastify or pino logger fits. */
export interface KeySetLog {
  info(details: object, message: string): void
  warn(details: object, message: string): void
}

/** Throws a TypeError unless this can be told what a key set tells. */
export function requireLog(log: KeySetLog): void {
  requireMethods(log, ['info', 'warn'], 'log must have the functions info and warn.')
}

/** The log of a key set that was given none. */
export const SILENCE: KeySetLog = { info: () => {}, warn: () => {} }

/** Reads the usable keys of a JWK set in a file. Throws when there are none. */
export async function readKeyFile(path: string, log: KeySetLog): Promise<ReadonlyMap<string, VerificationKey>> {
  const keys = readKeySet(await readFile(path, 'utf8'), new Map(), (reason) => log.warn({ path }, reason))
  if (!keys?.size) throw new Error(`${path}: holds no JWK set with a usable key.`)
  return keys
}

/** Reads a key set from a file, once. It never grows old; start again to change it. Throws when it holds no usable key. */
export async function fileKeySet(path: string, log = SILENCE): Promise<KeySet> {
  requireTexts({ file: path })
  requireLog(log)
  const keys = await readKeyFile(path, log)
  return {
    held: (kid) => keys.get(kid),
    find: async (kid) => keys.get(kid),
    status: () => ({ state: 'good', kids: [...keys.keys()], failures: 0 }),
    unready: () => undefined,
    close: () => {}
  }
}
