import type { Queryable } from '@latchkey/database/pool'
import { type CryptoKey, compactVerify, decodeProtectedHeader, type JWK } from 'jose'
import { type PublicKeys, publicKeyOf } from './given-keys.ts'

/** The `typ` of a signed head; no rule of tokens accepts it. */
export const HEAD_TYPE = 'audit-head+jwt'

/**
 * What a signature of a head proves: `vouched`, by a key that was given; `unvouched`, by a key that only the database
 * names; `revoked`, by a key that was revoked; or it is false.
 */
export type Proof = 'vouched' | 'unvouched' | 'revoked' | { readonly fault: string }

interface SignedHead {
  readonly seq: number
  readonly hash: Buffer
  readonly jws: string
}

/** Checks signatures of heads. */
export interface Signatures {
  /** `isKept` is whether the head was given: then its key may have been revoked since. */
  check(head: SignedHead, isKept: boolean): Promise<Proof>
}

/** Opens the check with the keys that were given, those of the database, and the revoked ones, by their `kid`. */
export async function openSignatures(
  connection: Queryable,
  given: PublicKeys,
  revoked: ReadonlySet<string>
): Promise<Signatures> {
  const own = await keysOfDatabase(connection)
  return {
    async check(head, isKept) {
      const kid = kidOf(head.jws) ?? 'without a kid'
      const key = given.get(kid) ?? own.get(kid)
      // A kept head proves by being kept, whoever signed it.
      if (!key && isKept) return 'unvouched'
      if (!key) return { fault: `its signature is by a key that nobody knows (${kid})` }
      const fault = await faultOf(head, key)
      if (fault !== undefined) return { fault }
      if (revoked.has(kid) && !isKept) return 'revoked'
      return given.has(kid) ? 'vouched' : 'unvouched'
    }
  }
}

async function faultOf({ seq, hash, jws }: SignedHead, key: CryptoKey): Promise<string | undefined> {
  try {
    const { payload, protectedHeader } = await compactVerify(jws, key, { algorithms: ['RS256'] })
    if (protectedHeader.typ !== HEAD_TYPE) return `what is signed is of the type ${protectedHeader.typ}, no head`
    const said = JSON.parse(Buffer.from(payload).toString()) as { seq?: unknown; hash?: unknown }
    const isSame = said.seq === seq && said.hash === hash.toString('hex')
    return isSame ? undefined : `its signature is of another head, of record ${String(said.seq)}`
  } catch {
    return 'its signature is false'
  }
}

/** The `kid` of the key that a JWS names; nothing if it cannot be read. */
export function kidOf(jws: string): string | undefined {
  try {
    return decodeProtectedHeader(jws).kid
  } catch {
    return undefined
  }
}

/** The keys that the database has; one whose `kid` is not its thumbprint counts under its thumbprint. */
async function keysOfDatabase(connection: Queryable): Promise<PublicKeys> {
  const rows = await connection.query<{ jwk: JWK }>('/* audit_keys */ SELECT jwk FROM audit_keys LIMIT 1000')
  const keys = await Promise.all(rows.map(({ jwk }) => publicKeyOf(jwk).catch(() => undefined)))
  return new Map(keys.filter((key) => key !== undefined))
}
