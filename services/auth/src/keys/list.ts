import type { Queryable } from '@latchkey/database/pool'
import { loadKeys } from './folder.ts'
import { judge, KINDS } from './judgement.ts'
import type { SigningKey } from './key-file.ts'
import { type KeyConfig, keyRules, type Verdict } from './rule.ts'
import { readRegister } from './signing-keys.ts'

/**
 * Lists the keys of a folder, one line each: kind, slot, kid, and `signs`, `published`, `retired` or `revoked`, as
 * services with the same settings see them, or `unseen`. Changes nothing.
 */
export async function listKeys(database: Queryable, config: KeyConfig & { KEYS_DIR: string }): Promise<string[]> {
  const [keys, register] = await Promise.all([loadKeys(config.KEYS_DIR, () => {}), readRegister(database)])
  const slots = { access: [...keys.access.accepted.values()], refresh: [...keys.refresh.accepted.values()] }
  const verdicts = judge({ slots, revoked: new Map() }, register, keyRules(config))
  const known = new Set(register.keys.map(({ kid }) => kid))
  return KINDS.flatMap((kind) =>
    slots[kind].map((key) => {
      const state = known.has(key.kid) ? stateOf(key, verdicts[kind]) : 'unseen'
      return `${kind} ${key.slot} ${key.kid} ${state}`
    })
  )
}

function stateOf(key: SigningKey, { signing, begins, retired, revoked }: Verdict<SigningKey>): string {
  if (revoked.includes(key)) return 'revoked'
  if (retired.includes(key)) return 'retired'
  return key === signing && !begins ? 'signs' : 'published'
}
