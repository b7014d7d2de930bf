import type { Kind } from '@latchkey/tokens/claims'
import { judgeKeys, type RuleSettings, type Verdict } from './rule.ts'
import type { FoundKey, Register } from './signing-keys.ts'

/** What an instance has seen of its folder: the keys in the slots, and by `kid` all that were ever revoked there. */
export interface Seen<K> {
  readonly slots: Readonly<Record<Kind, readonly K[]>>
  readonly revoked: ReadonlyMap<string, Kind>
}

/** What the rule goes by, for each kind. */
export type Rules = Readonly<Record<Kind, RuleSettings>>

/** What becomes of the keys of each kind. */
type Verdicts<K> = Readonly<Record<Kind, Verdict<K>>>

interface Slotted {
  readonly kid: string
  readonly slot: string
}

export const KINDS: readonly Kind[] = ['access', 'refresh']

/** What the database is to know of the keys that were seen. */
export function foundKeys({ slots, revoked }: Seen<Slotted>): FoundKey[] {
  const inSlots = KINDS.flatMap((kind) => slots[kind].map(({ kid }) => ({ kid, kind, revoked: false })))
  const withdrawn = [...revoked].map(([kid, kind]) => ({ kid, kind, revoked: true }))
  return [...inSlots.filter(({ kid }) => !revoked.has(kid)), ...withdrawn]
}

/** Decides about the keys of both kinds, as {@link judgeKeys} does about one; a revocation counts that either side knows. */
export function judge<K extends Slotted>({ slots, revoked }: Seen<K>, register: Register, rules: Rules): Verdicts<K> {
  const of = (kind: Kind) => {
    const kids = new Set(slots[kind].map(({ kid }) => kid))
    const own = register.keys.filter((key) => key.kind === kind || kids.has(key.kid))
    const times = own.map((key) =>
      // A key is of one kind for ever: moved to the other folder, it is as good as revoked.
      key.kind === kind
        ? { ...key, revoked: key.revoked || revoked.has(key.kid) }
        : { ...key, signs_from: null, revoked: true }
    )
    return judgeKeys(slots[kind], times, { ...rules[kind], now: register.now })
  }
  return { access: of('access'), refresh: of('refresh') }
}

/** The keys that are to sign and are not noted as the last that began to. */
export function beginners(seen: Seen<Slotted>, register: Register, rules: Rules): string[] {
  const verdicts = judge(seen, register, rules)
  return KINDS.flatMap((kind) => (verdicts[kind].begins ? (verdicts[kind].signing?.kid ?? []) : []))
}

/** Tells whether the database knows all that it is to know: then nothing is written. */
export function isUpToDate(seen: Seen<Slotted>, register: Register, rules: Rules): boolean {
  const known = new Map(register.keys.map((key) => [key.kid, key]))
  const isNoted = ({ kid, revoked }: FoundKey) => known.has(kid) && (!revoked || known.get(kid)?.revoked === true)
  return foundKeys(seen).every(isNoted) && beginners(seen, register, rules).length === 0
}
