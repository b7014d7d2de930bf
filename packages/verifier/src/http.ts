import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Problem } from '@latchkey/problems/problem'
import { problemResponse } from '@latchkey/problems/response'
import { readBearer } from '@latchkey/tokens/bearer'
import type { AccessClaims } from '@latchkey/tokens/claims'
import { requireVerifier } from './options.ts'
import { Refusal } from './refusal.ts'
import type { Verifier } from './verifier.ts'

/**
 * Guards a request of `node:http`, or of a framework that stands on it: the claims of its access token, or nothing when
 * there is no good one; the refusal is then answered already, as `application/problem+json` (RFC 6750 §3, RFC 9457).
 *
 * Without a response it answers nothing and throws a {@link Refusal} instead, which Express's error handlers understand.
 * Throws what is no refusal, such as the error of a `trusted` that fails.
 */
export function authenticate(verifier: Verifier, request: IncomingMessage): Promise<AccessClaims>
export function authenticate(
  verifier: Verifier,
  request: IncomingMessage,
  response: ServerResponse
): Promise<AccessClaims | undefined>
export async function authenticate(
  verifier: Verifier,
  request: IncomingMessage,
  response?: ServerResponse
): Promise<AccessClaims | undefined> {
  requireVerifier(verifier)
  try {
    return await verifier.verify(readBearer(request.rawHeaders))
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    if (!response) throw new Refusal(error)
    const { headers, body } = problemResponse(error, randomUUID())
    response.writeHead(error.status, headers).end(JSON.stringify(body))
    return undefined
  }
}
