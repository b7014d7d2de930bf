import type { HeadSigner } from '@latchkey/audit/heads'
import { HEAD_TYPE } from '@latchkey/audit/signatures'
import { Problem } from '@latchkey/problems/problem'
import { signCompact } from './compact-jws.ts'
import type { KeyRing } from './folder.ts'
import type { SigningKey } from './key-file.ts'

/**
 * Makes the signer of the heads of the audit log: a JWS with the access key in force (RFC 7515 §3.1). Its `typ` is that
 * of no token, so no rule of tokens accepts it.
 */
export function createHeadSigner(access: KeyRing, issuer: string): HeadSigner {
  return {
    accepts: (kid) => access.accepted.has(kid),
    sign: async (head) => {
      const key = currentOf(access)
      if (!key) return undefined
      return { kid: key.kid, jwk: key.jwk, jws: await signCompact(key, HEAD_TYPE, { iss: issuer, ...head }) }
    }
  }
}

function currentOf(ring: KeyRing): SigningKey | undefined {
  try {
    return ring.current
  } catch (error) {
    if (error instanceof Problem && error.code === 'unavailable') return undefined
    throw error
  }
}
