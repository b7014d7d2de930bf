import type { Queryable } from '@latchkey/database/pool'
import type { Kind } from '@latchkey/tokens/claims'
import { loadKeys } from './folder.ts'
import type { SigningKey } from './key-file.ts'
import { judgeKeys, type KeyConfig, keyRules, type Verdict } from './rule.ts'
import { readRegister } from './signing-keys.ts'

/**
 * Lists the keys of a folder, one line each: kind, slot, kid, and `signs`, `published`, `retired` or `revoked`, as
 * services with the same settings see them, or `unseen`. Changes nothing.
 */
export async function listKeys(database: Queryable, config: KeyConfig & { KEYS_DIR: string }): Promise<string[]> {
  const [keys, register] = await Promise.all([loadKeys(config.KEYS_DIR, () => {}), readRegister(database)])
  const rules = keyRules(config)
  const linesOf = (kind: Kind) => {
    const times = register.keys.filter((key) => key.kind === kind)
    const seen = new Set(times.map(({ kid }) => kid))
    const folder = [...keys[kind].accepted.values()]
    const verdict = judgeKeys(folder, times, { ...rules[kind], now: register.now })
    return folder.map((key) => {
      const state = seen.has(key.kid) ? stateOf(key, verdict) : 'unseen'
      return `${kind} ${key.slot} ${key.kid} ${state}`
    })
  }
  return [...linesOf('access'), ...linesOf('refresh')]
}

function stateOf(key: SigningKey, { signing, begins, retired, revoked }: Verdict<SigningKey>): string {
  if (revoked.includes(key)) return 'revoked'
  if (retired.includes(key)) return 'retired'
  return key === signing && !begins ? 'signs' : 'published'
}
