import type { Queryable } from '@latchkey/database/pool'
import type { Kind } from '@latchkey/tokens/claims'
import { loadKeys } from './folder.ts'
import { judge, KINDS } from './judgement.ts'
import { type KeyConfig, keyRules } from './rule.ts'
import { readRegister } from './signing-keys.ts'

/** A signing key, by its thumbprint. */
interface NamedKey {
  readonly kid: string
  readonly kind: Kind
}

/**
 * Returns the keys of both kinds that must go if somebody else may have all that is in use: all that any instance has ever seen and
 * that are not revoked, but for `next` of this folder, which then signs. A key that another folder has in a slot is one of them, also if
 * nobody here knows it; and those that are retired, because an instance with an old folder may accept them.
 *
 * Throws if a kind has no `next` that a service has seen: without it nobody could log in.
 */
export async function keysInUse(database: Queryable, config: KeyConfig & { KEYS_DIR: string }): Promise<NamedKey[]> {
  const [keys, register] = await Promise.all([loadKeys(config.KEYS_DIR, () => {}), readRegister(database)])
  const slots = { access: [...keys.access.accepted.values()], refresh: [...keys.refresh.accepted.values()] }
  const verdicts = judge({ slots, revoked: new Map() }, register, keyRules(config))
  const seen = new Set(register.keys.map(({ kid }) => kid))
  const lacking = KINDS.filter(
    (kind) => !verdicts[kind].published.some(({ kid, slot }) => slot === 'next' && seen.has(kid))
  )
  if (lacking.length > 0) throw new Error(`nothing was changed: ${lacking.map(withoutNext).join(' ')}`)
  const kept = new Set(
    KINDS.flatMap((kind) => verdicts[kind].published.filter(({ slot }) => slot === 'next').map(({ kid }) => kid))
  )
  return register.keys.filter(({ kid, revoked }) => !revoked && !kept.has(kid)).map(({ kid, kind }) => ({ kid, kind }))
}

const withoutNext = (kind: Kind) =>
  `${kind} has no key in the slot next that a service has seen; scripts/generate-keys.sh makes it where it is missing, scripts/rotate-keys.sh ${kind} where it is revoked, and a running service sees it within 5 s.`
