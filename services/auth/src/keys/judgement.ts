import type { Kind } from '@latchkey/tokens/claims'
import { judgeKeys, type RuleSettings, type Verdict } from './rule.ts'
import type { FoundKey, Register } from './signing-keys.ts'

/**
 * The keys that an instance has seen in its folder: those in the slots, and by `kid` all that were ever revoked there.
 */
export interface Seen<K> {
  readonly slots: Readonly<Record<Kind, readonly K[]>>
  readonly revoked: ReadonlyMap<string, Kind>
}

/** The settings of the rule, for each kind. */
export type Rules = Readonly<Record<Kind, RuleSettings>>

/** The verdicts on the keys of each kind. */
type Verdicts<K> = Readonly<Record<Kind, Verdict<K>>>

interface Slotted {
  readonly kid: string
  readonly slot: string
}

export const KINDS: readonly Kind[] = ['access', 'refresh']

/** Returns what the database must know of the seen keys. */
export function foundKeys({ slots, revoked }: Seen<Slotted>): FoundKey[] {
  const inSlots = KINDS.flatMap((kind) => slots[kind].map(({ kid }) => ({ kid, kind, revoked: false })))
  const withdrawn = [...revoked].map(([kid, kind]) => ({ kid, kind, revoked: true }))
  return [...inSlots.filter(({ kid }) => !revoked.has(kid)), ...withdrawn]
}

/**
 * Decides about the keys of both kinds, as {@link judgeKeys} does for one. A revocation counts if either side knows it.
 */
export function judge<K extends Slotted>({ slots, revoked }: Seen<K>, register: Register, rules: Rules): Verdicts<K> {
  const of = (kind: Kind) => {
    const kids = new Set(slots[kind].map(({ kid }) => kid))
    const own = register.keys.filter((key) => key.kind === kind || kids.has(key.kid))
    const times = own.map((key) =>
      // A key belongs to one kind for ever: moved to the other folder, it counts as revoked.
      key.kind === kind
        ? { ...key, revoked: key.revoked || revoked.has(key.kid) }
        : { ...key, signs_from: null, revoked: true }
    )
    return judgeKeys(slots[kind], times, { ...rules[kind], now: register.now })
  }
  return { access: of('access'), refresh: of('refresh') }
}

/** Returns the keys that must sign now but are not stored as the last ones that began to. */
export function beginners(seen: Seen<Slotted>, register: Register, rules: Rules): string[] {
  const verdicts = judge(seen, register, rules)
  return KINDS.flatMap((kind) => (verdicts[kind].begins ? (verdicts[kind].signing?.kid ?? []) : []))
}

/** Tells whether the database knows everything, so that nothing is written. */
export function isUpToDate(seen: Seen<Slotted>, register: Register, rules: Rules): boolean {
  const known = new Map(register.keys.map((key) => [key.kid, key]))
  const isNoted = ({ kid, revoked }: FoundKey) => known.has(kid) && (!revoked || known.get(kid)?.revoked === true)
  return foundKeys(seen).every(isNoted) && beginners(seen, register, rules).length === 0
}
