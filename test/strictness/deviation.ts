import type { KeyObject } from 'node:crypto'
import { compact, type Members, rs256, type Signer, type TestKey } from '@latchkey/testing/tokens'
import type { Kind } from '@latchkey/tokens/claims'

/** The good token that each deviation starts from, and what its forger has at hand. */
export interface Good {
  readonly kind: Kind
  readonly header: Members
  readonly claims: Members
  /** The key that signs this kind. */
  readonly key: TestKey
  /** The key that signs the other kind. */
  readonly otherKind: TestKey
  readonly strangers: Strangers
  /** Seconds since 1970. */
  readonly now: number
  /** Seconds. */
  readonly leeway: number
  /** A URL that nobody may ever ask. */
  readonly trap: string
}

/** Keys that nobody trusts. */
export interface Strangers {
  readonly rsa: TestKey
  readonly short: TestKey
  readonly ec: KeyObject
  readonly ed: KeyObject
}

export type Outcome = 'accepted' | 'invalid_token' | 'token_expired'

/** One way in which a token is not what we issue, and what must become of it. */
export interface Deviation {
  readonly name: string
  readonly make: (good: Good) => string
  /** By the rules alone, wherever a token is judged. */
  readonly outcome: Outcome
  /** At the auth service, whose database knows more. */
  readonly atIssuer?: Outcome
  /**
   * In an HTTP header, where blanks end a word or are taken off the value before anybody judges the token, and where
   * some characters cannot be: Node's parser answers those (400) before there is a request. A deviation without this
   * member has its `outcome` there too.
   */
  readonly inHeader?: 'accepted' | 'invalid_request' | 'no HTTP'
  /** Whether anybody looks for a key: only a token that could be good is worth it. */
  readonly asksForKey: boolean
}

type Special = Partial<Omit<Deviation, 'name' | 'make'>>

export function refused(name: string, make: Deviation['make'], special: Special = {}): Deviation {
  return { name, make, outcome: 'invalid_token', asksForKey: false, ...special }
}

/** Refused by its key: form, header and claims are as they should be. */
export function forged(name: string, make: Deviation['make'], special: Special = {}): Deviation {
  return refused(name, make, { asksForKey: true, ...special })
}

export function accepted(name: string, make: Deviation['make'], special: Special = {}): Deviation {
  return { name, make, outcome: 'accepted', asksForKey: true, ...special }
}

/** Makes the token with other members in header or claims, or another text in the place of one; signed well by default. */
export function forge(
  good: Good,
  change: { header?: Members | string | Buffer; claims?: Members | string | Buffer; sign?: Signer }
): string {
  const { header = {}, claims = {}, sign = rs256(good.key) } = change
  return compact(over(good.header, header), over(good.claims, claims), sign)
}

function over(good: Members, change: Members | string | Buffer): Members | string | Buffer {
  return typeof change === 'string' || Buffer.isBuffer(change) ? change : { ...good, ...change }
}

/** The three segments of the good token. */
export function segments(good: Good): { header: string; payload: string; signature: string } {
  const [header = '', payload = '', signature = ''] = forge(good, {}).split('.')
  return { header, payload, signature }
}
