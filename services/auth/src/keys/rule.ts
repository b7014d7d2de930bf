import type { Kind } from '@latchkey/tokens/claims'

/** What the database knows of a key; times are in seconds since 1970, by its clock. */
export interface KeyTimes {
  readonly kid: string
  readonly first_seen_at: number
  /** When it last began to sign; null if never. */
  readonly signs_from: number | null
  readonly revoked: boolean
}

/** The settings of the rule, in seconds. */
export interface RuleSettings {
  /** How long a key is published before it signs. */
  readonly publishedBefore: number
  /** How long a key stays accepted after another has begun to sign: longer than the longest life of its tokens. */
  readonly acceptedAfter: number
}

/** The settings that say how long keys and tokens live, in seconds. */
export interface KeyConfig {
  readonly ACCESS_TOKEN_TTL: number
  readonly REFRESH_TOKEN_TTL: number
  readonly REFRESH_TOKEN_ROTATION: 'on' | 'off'
  readonly SESSION_MAX_AGE: number
  readonly CLOCK_LEEWAY: number
  readonly KEY_LEAD: number
}

/** The settings of the rule, for each kind. */
export function keyRules(config: KeyConfig): Readonly<Record<Kind, RuleSettings>> {
  const refreshLife = config.REFRESH_TOKEN_ROTATION === 'on' ? config.REFRESH_TOKEN_TTL : config.SESSION_MAX_AGE
  const rules = (life: number) => ({
    publishedBefore: config.KEY_LEAD,
    acceptedAfter: life + config.CLOCK_LEEWAY + config.KEY_LEAD
  })
  return { access: rules(config.ACCESS_TOKEN_TTL), refresh: rules(refreshLife) }
}

/** The verdict on the keys of a folder. */
export interface Verdict<K> {
  /** Nothing if every key that could sign is revoked. */
  readonly signing: K | undefined
  /** Whether it is another key than the one that signed last: then its start must be stored before it signs. */
  readonly begins: boolean
  /** Published and accepted. */
  readonly published: readonly K[]
  /** No token that it signed is still valid; its file may be deleted. */
  readonly retired: readonly K[]
  readonly revoked: readonly K[]
}

/**
 * Decides which keys of one kind are published and which one signs. The table is in ARCHITECTURE.md.
 *
 * `times` are those of all keys of the kind, in the folder or not, at `now` (seconds since 1970, by the same clock).
 */
export function judgeKeys<K extends { readonly kid: string; readonly slot: string }>(
  folder: readonly K[],
  times: readonly KeyTimes[],
  { publishedBefore, acceptedAfter, now }: RuleSettings & { now: number }
): Verdict<K> {
  const timesOf = new Map(times.map((key) => [key.kid, key]))
  const signers = times.flatMap((key) => (key.signs_from === null ? [] : [{ ...key, since: key.signs_from }]))
  signers.sort((a, b) => b.since - a.since)

  const isRevoked = ({ kid }: K) => timesOf.get(kid)?.revoked === true
  const isRetired = ({ kid, slot }: K) => {
    const own = timesOf.get(kid)
    if (!own || !slot.startsWith('previous-')) return false
    const since = own.signs_from ?? own.first_seen_at
    return signers.some((other) => other.kid !== kid && other.since >= since && other.since + acceptedAfter < now)
  }
  const revoked = folder.filter(isRevoked)
  const retired = folder.filter((key) => !isRevoked(key) && isRetired(key))
  const published = folder.filter((key) => !revoked.includes(key) && !retired.includes(key))

  const inSlot = (slot: string) => published.find((key) => key.slot === slot)
  const wanted = inSlot('current') ?? inSlot('next')
  const wantedTimes = wanted && timesOf.get(wanted.kid)
  const isKnownToAll = wantedTimes !== undefined && wantedTimes.first_seen_at + publishedBefore <= now
  const last = signers[0]
  const mayWait = last !== undefined && !last.revoked
  const before = signers.flatMap(({ kid }) => published.find((key) => key.kid === kid) ?? [])[0]
  const signing = isKnownToAll || !mayWait ? (wanted ?? before) : (before ?? wanted)
  return { signing, begins: signing !== undefined && signing.kid !== last?.kid, published, retired, revoked }
}
