import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Problem } from '@latchkey/problems/problem'
import { problemResponse } from '@latchkey/problems/response'
import type { AccessClaims } from '@latchkey/tokens/claims'
import { requireFunctions, requireVerifier } from './options.ts'
import { Refusal } from './refusal.ts'
import { fromHeader, type TokenFrom } from './token-from.ts'
import type { TokenVerifier } from './verifier.ts'

/** Where the token is; by default in the Authorization header. */
interface AuthenticateOptions {
  readonly tokenFrom?: TokenFrom
}

/**
 * Guards a request of `node:http`, or of a framework on top of it. Returns the claims of its access token, or nothing
 * after it has answered the refusal as `application/problem+json` (RFC 6750 §3, RFC 9457).
 *
 * Without a response it throws a {@link Refusal} instead, which Express's error handlers understand. It also throws
 * errors that are no refusal, such as one of `trusted`.
 */
export function authenticate(
  verifier: TokenVerifier,
  request: IncomingMessage,
  response?: undefined,
  options?: AuthenticateOptions
): Promise<AccessClaims>
export function authenticate(
  verifier: TokenVerifier,
  request: IncomingMessage,
  response: ServerResponse,
  options?: AuthenticateOptions
): Promise<AccessClaims | undefined>
export async function authenticate(
  verifier: TokenVerifier,
  request: IncomingMessage,
  response?: ServerResponse,
  { tokenFrom = fromHeader }: AuthenticateOptions = {}
): Promise<AccessClaims | undefined> {
  requireVerifier(verifier)
  requireFunctions({ tokenFrom })
  try {
    return await verifier.verify(tokenFrom(request), { traceparent: request.headers['traceparent'] })
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    if (!response) throw new Refusal(error)
    const { headers, body } = problemResponse(error, randomUUID())
    response.writeHead(error.status, headers).end(JSON.stringify(body))
    return undefined
  }
}
