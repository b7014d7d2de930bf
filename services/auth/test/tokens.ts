import type { JWTHeaderParameters, JWTPayload } from 'jose'
import { SignJWT } from 'jose'
import type { SigningKey } from '../src/keys/key-file.ts'

/** What a token says, unverified. */
export function claimsOf(token: string): Record<string, unknown> {
  return part(token, 1)
}

/** The header of a token, unverified. */
export function headerOf(token: string): Record<string, unknown> {
  return part(token, 0)
}

/** The session of a token, unverified. */
export function sidOf(token: string): string {
  return String(claimsOf(token)['sid'])
}

function part(token: string, index: number): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[index] ?? '', 'base64url').toString())
}

/** The claims and the header of a token with changes, signed by a key of the service as it would. */
export function resign(
  token: string,
  key: SigningKey,
  changes: { claims?: Record<string, unknown>; header?: Record<string, unknown> }
): Promise<string> {
  const header = { ...headerOf(token), kid: key.kid, ...changes.header } as unknown as JWTHeaderParameters
  return new SignJWT({ ...claimsOf(token), ...changes.claims } as JWTPayload)
    .setProtectedHeader(header)
    .sign(key.privateKey)
}
