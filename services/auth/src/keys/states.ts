import type { Kind } from '@latchkey/tokens/claims'
import { judge, KINDS, type Rules, type Seen } from './judgement.ts'
import type { SigningKey } from './key-file.ts'
import type { Register } from './signing-keys.ts'

/** A key of the folder, and what becomes of it; for metrics. */
export interface KeyState {
  readonly kind: Kind
  readonly kid: string
  readonly slot: string
  readonly state: 'signs' | 'accepted' | 'retired' | 'revoked'
  /** In seconds since 1970. */
  readonly firstSeen: number | undefined
  /** When it last began to sign; nothing if never. */
  readonly signsFrom: number | undefined
}

/** Tells the state of each key in a slot of the folder. */
export function statesOf(seen: Seen<SigningKey>, register: Register, rules: Rules): KeyState[] {
  const verdicts = judge(seen, register, rules)
  const timesOf = new Map(register.keys.map((key) => [key.kid, key]))
  return KINDS.flatMap((kind) => {
    const { signing, retired, revoked } = verdicts[kind]
    return seen.slots[kind].map((key) => {
      const { kid, slot } = key
      const times = timesOf.get(kid)
      const state = revoked.includes(key)
        ? 'revoked'
        : retired.includes(key)
          ? 'retired'
          : kid === signing?.kid
            ? 'signs'
            : 'accepted'
      return { kind, kid, slot, state, firstSeen: times?.first_seen_at, signsFrom: times?.signs_from ?? undefined }
    })
  })
}
