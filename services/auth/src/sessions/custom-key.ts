import { createHmac, timingSafeEqual } from 'node:crypto'
import type { RefreshClaims } from '@latchkey/tokens/claims'

// The idea that this service is built on: a refresh token carries the custom key of its user's token hash. A new token
// hash makes another custom key, so that every refresh token issued before is dead at once, and none had to be stored.

/** Lower-case hex of HMAC-SHA256: the key is the user's token hash (32 bytes), the message the text of `sub`. */
export function customKey(tokenHash: Buffer, sub: string): string {
  return createHmac('sha256', tokenHash).update(sub).digest('hex')
}

/** Tells whether a refresh token was issued under the user's present token hash. */
export function hasCustomKey(claims: RefreshClaims, tokenHash: Buffer): boolean {
  return timingSafeEqual(Buffer.from(claims.custom_key), Buffer.from(customKey(tokenHash, claims.sub)))
}
