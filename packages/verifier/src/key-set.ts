import { readFile } from 'node:fs/promises'
import type { KeySetState } from './fetch-policy.ts'
import { readKeySet, type VerificationKey } from './jwk.ts'
import { requireMethods, requireTexts } from './options.ts'

/** For whom a token is verified. */
export interface Asked {
  /** The header `traceparent` of the request (W3C Trace Context); a malformed one counts as none. */
  readonly traceparent?: string | readonly string[] | undefined
}

/** The source of a verifier's keys. */
export interface KeySource {
  /** The key of this `kid`, if the current usable set lists it; has no effects. */
  held(kid: string): VerificationKey | undefined
  /**
   * The key of this `kid`; asks the issuer if that may help.
   *
   * Returns nothing if the set is known to lack it; throws `unavailable` if that cannot be known now. `asked` is for whom:
   * what asks the issuer hands its trace on.
   */
  find(kid: string, asked?: Asked): Promise<VerificationKey | undefined>
  /**
   * The same from the current set: asks nobody and does not wait, for a token that is not worth a request to the
   * issuer.
   *
   * A source without it has all keys that exist.
   */
  lookUp?(kid: string): VerificationKey | undefined
  /** Asks the issuer again as soon as its cooldown lets it, because a key was revoked. A source without it never changes. */
  refresh?(): void
}

/** A key source that works in the background. */
export interface KeySet extends KeySource {
  /** The state, for metrics and logs. */
  status(): KeySetStatus
  /** What has happened since the start, for metrics. */
  counts(): KeySetCounts
  /** Says why no token can be verified now, or nothing; for readiness. */
  unready(): string | undefined
  /** Stops the work in the background and ends the waits of requests; the current set stays. */
  close(): void
}

/** The state of a key set. */
export interface KeySetStatus {
  readonly state: KeySetState
  /** The ids of the keys that verify tokens now; none while `empty`. */
  readonly kids: readonly string[]
  /** When the last successful fetch began, in milliseconds since 1970; missing before the first. */
  readonly goodAt?: number
  /** Seconds since then. */
  readonly age?: number
  /** Failed fetches since then. */
  readonly failures: number
  /** Seconds until the timer starts the next fetch, 0 if one is due; missing if there will be none. */
  readonly nextFetch?: number
}

/** What a key set has done since the start. */
export interface KeySetCounts {
  readonly fetched: number
  /** Fetches that failed. */
  readonly failed: number
  /** Tokens whose key was not in the set that was held. */
  readonly unknown: number
}

/** The log of a key set; a Fastify or pino logger fits. */
export interface KeySetLog {
  info(details: object, message: string): void
  warn(details: object, message: string): void
}

/** Throws a TypeError unless this is a logger of a key set. */
export function requireLog(log: KeySetLog): void {
  requireMethods(log, ['info', 'warn'], 'log must have the functions info and warn.')
}

/** The default log: it drops everything. */
export const SILENCE: KeySetLog = { info: () => {}, warn: () => {} }

/** Reads the usable keys of a JWK set in a file. Throws if there are none. */
export async function readKeyFile(path: string, log: KeySetLog): Promise<ReadonlyMap<string, VerificationKey>> {
  const keys = readKeySet(await readFile(path, 'utf8'), new Map(), (reason) => log.warn({ path }, reason))
  if (!keys?.size) throw new Error(`${path}: holds no JWK set with a usable key.`)
  return keys
}

/** Reads a key set from a file, once. It never expires; restart to change it. Throws if it has no usable key. */
export async function fileKeySet(path: string, log = SILENCE): Promise<KeySet> {
  requireTexts({ file: path })
  requireLog(log)
  const keys = await readKeyFile(path, log)
  let unknown = 0
  return {
    held: (kid) => keys.get(kid),
    find: async (kid) => {
      const key = keys.get(kid)
      if (!key) unknown += 1
      return key
    },
    status: () => ({ state: 'good', kids: [...keys.keys()], failures: 0 }),
    counts: () => ({ fetched: 0, failed: 0, unknown }),
    unready: () => undefined,
    close: () => {}
  }
}
