import { createHmac, timingSafeEqual } from 'node:crypto'
import type { RefreshClaims } from '@latchkey/tokens/claims'

// The central idea of this service: a refresh token carries the custom key, which comes from its user's token hash. A
// new token hash makes another custom key. So every earlier refresh token is invalid at once, and none had to be
// stored.

/**
 * Makes the custom key: lower-case hex of HMAC-SHA256. The key is the user's token hash (32 bytes), the message the
 * text of `sub`.
 */
export function customKey(tokenHash: Buffer, sub: string): string {
  return createHmac('sha256', tokenHash).update(sub).digest('hex')
}

/** Tells whether a refresh token was issued with the user's current token hash. */
export function hasCustomKey(claims: RefreshClaims, tokenHash: Buffer): boolean {
  return timingSafeEqual(Buffer.from(claims.custom_key), Buffer.from(customKey(tokenHash, claims.sub)))
}
