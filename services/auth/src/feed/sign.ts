import { REVOCATIONS_TYP, type Revocations } from '@latchkey/tokens/revocations'
import { signCompact } from '../keys/compact-jws.ts'
import type { KeyRing } from '../keys/folder.ts'

/** Signs an answer of the feed; throws `unavailable` while no key may sign. */
export type SignRevocations = (claims: Revocations) => Promise<Buffer>

/**
 * Makes the signer of the feed's answers: a JWS with the access key in force (RFC 7515 §3.1), off the main thread. Its
 * `typ` is that of no token.
 */
export function createSigner(access: KeyRing): SignRevocations {
  // Bytes, which all who get this text share.
  return async (claims) => Buffer.from(await signCompact(access.current, REVOCATIONS_TYP, claims))
}
