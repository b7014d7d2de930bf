import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Revocations } from '@latchkey/tokens/revocations'
import { createLocalJWKSet, jwtVerify } from 'jose'
import type { Auth, Sending } from './app.ts'

/** A token for the feed, as an operator would make one. */
export const FEED_TOKEN = 'a-token-of-the-feed-for-tests-01234567'

/** What is asked; `nonce` is a new one by default. */
export interface Asking {
  readonly after?: string | null
  readonly wait?: number | string
  readonly nonce?: string
}

/** A nonce that nobody has used. */
export const newNonce = () => randomBytes(16).toString('base64url')

/** The line of a question. */
export function lineOf({ after = null, wait = 0, nonce = newNonce() }: Asking): string {
  const query = new URLSearchParams({ ...(after !== null && { after }), wait: String(wait), nonce })
  return `GET /revocations?${query}`
}

/** Asks the feed, and checks the answer as a receiver does; throws if it is none. */
export async function ask(auth: Auth, asking: Asking = {}, sending: Sending = {}): Promise<Revocations> {
  const { nonce = newNonce() } = asking
  const { status, headers, body } = await auth.send(lineOf({ ...asking, nonce }), sending)
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`)
  if (headers['content-type'] !== 'application/jwt') throw new Error(`a ${headers['content-type']}`)
  return verified(auth, body, nonce)
}

/** The claims of an answer that was signed after this question. */
export async function verified(auth: Auth, text: string, nonce: string): Promise<Revocations> {
  const keys = [...auth.keys.access.accepted.values()].map(({ jwk }) => jwk)
  const { payload } = await jwtVerify(text, createLocalJWKSet({ keys }), {
    typ: 'revocations+jwt',
    algorithms: ['RS256'],
    issuer: auth.config.ISSUER
  })
  const claims = payload as unknown as Revocations
  if (!claims.nonces.includes(nonce)) throw new Error('the nonce is not there')
  return claims
}

/** Returns when so many questions wait. */
export async function untilWaiting(auth: Auth, count: number): Promise<void> {
  while (auth.app.feed?.waiting !== count) await sleep(5)
}
