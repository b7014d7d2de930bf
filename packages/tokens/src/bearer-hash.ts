import { createHash, timingSafeEqual } from 'node:crypto'

/** The hash of a bearer token that is no JWT. Plain SHA-256, because such a token is long and random. */
export function hashOfBearer(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

/** Tells whether a token has this hash, in a time that shows neither its length nor its content. */
export function isOfHash(token: string, hash: Buffer): boolean {
  return timingSafeEqual(hash, hashOfBearer(token))
}
