import type { Queryable } from '@latchkey/database/pool'
import { Problem } from '@latchkey/problems/problem'
import type { Asked, VerifiedToken, Verifier } from '@latchkey/verifier'
import { takeTicket } from './tickets.ts'

/** What opens a connection, or prolongs it: an access token, or a ticket for one. */
export type Credential = { readonly token: string } | { readonly ticket: string }

/** What admission needs. */
export interface AdmissionParts {
  readonly verifier: Verifier
  readonly database: Queryable
}

/**
 * Finds the token by which somebody connects. It is judged without leeway, because a connection lives no longer than its
 * token.
 *
 * Throws `invalid_token`, `token_expired` (for tokens alone: a ticket whose token has ended is no ticket), or `unavailable`
 * if there are no keys, or the database is away that keeps the tickets.
 */
export async function admit(
  { verifier, database }: AdmissionParts,
  credential: Credential,
  asked?: Asked
): Promise<VerifiedToken> {
  if ('token' in credential) {
    const token = await verifier.examine(credential.token, asked)
    verifier.recheck(token)
    return token
  }
  const kept = await takeTicket(database, credential.ticket)
  if (!kept) throw new Problem('invalid_token', { reason: 'the ticket is unknown, used or expired' })
  try {
    const token = await verifier.readmit(kept)
    verifier.recheck(token)
    return token
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'token_expired') throw error
    throw new Problem('invalid_token', { reason: 'the token of the ticket has expired' })
  }
}
