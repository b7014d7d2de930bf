import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import { type Members, makeKey, type TestKey } from '@latchkey/testing/tokens'
import type { Kind } from '@latchkey/tokens/claims'
import type { Good } from './deviation.ts'

const TYP: Record<Kind, string> = { access: 'at+jwt', refresh: 'rt+jwt' }

/** Who makes the tokens of the table: holds all keys, also those that no attacker has. */
export interface Forger {
  /** The keys that sign each kind. */
  readonly keys: Readonly<Record<Kind, TestKey>>
  /** What deviations of a kind start from; times in seconds. */
  good(kind: Kind, claims: Members, settings: { now: number; leeway: number; trap?: string }): Good
}

export async function makeForger(): Promise<Forger> {
  const make = promisify(generateKeyPair)
  const [access, refresh, rsa, short, ec, ed] = await Promise.all([
    makeKey(),
    makeKey(),
    makeKey(),
    makeKey(1024),
    make('ec', { namedCurve: 'P-256' }),
    make('ed25519')
  ])
  const keys = { access, refresh }
  const strangers = { rsa, short, ec: ec.privateKey, ed: ed.privateKey }
  return {
    keys,
    good: (kind, claims, { now, leeway, trap = 'http://127.0.0.1:9' }) => ({
      kind,
      header: { alg: 'RS256', typ: TYP[kind], kid: keys[kind].kid },
      claims,
      key: keys[kind],
      otherKind: keys[kind === 'access' ? 'refresh' : 'access'],
      strangers,
      now,
      leeway,
      trap
    })
  }
}
