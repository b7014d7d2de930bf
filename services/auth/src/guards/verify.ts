import type { App } from '@latchkey/frame/app-type'
import type { Claims, Kind } from '@latchkey/tokens/claims'
import { decodeUnverified } from '@latchkey/tokens/compact'
import { checkClaims, checkHeader } from '@latchkey/tokens/rules'
import type { FastifyRequest } from 'fastify'
import type { Keys } from '../keys/folder.ts'
import { checkSignatures } from './signature.ts'

/** What a token is held against; `leeway` in seconds. */
interface VerifySettings {
  readonly issuer: string
  readonly audience: readonly string[]
  readonly leeway: number
  /** The present, in milliseconds since 1970. */
  readonly now: () => number
}

/**
 * Verifies the token that a request shows: form, header, signature, claims. Whether its session lives is not looked at.
 *
 * `grace`, by default 0, is the number of seconds for which an expired token still passes. Throws `invalid_token` and
 * `token_expired`, and `unavailable` while nobody knows which keys are revoked.
 */
export type VerifyToken = <K extends Kind>(
  kind: K,
  shown: { request: FastifyRequest; token: string },
  grace?: number
) => Promise<Claims<K>>

/** Makes the verification of both kinds of tokens with the keys in force. */
export async function createVerifyToken(
  app: App,
  { keys, settings }: { keys: Keys; settings: VerifySettings }
): Promise<VerifyToken> {
  const { issuer, audience, leeway, now } = settings
  const audiences = { access: [issuer, ...audience], refresh: [issuer] }
  const checkSignature = await checkSignatures(app, keys)
  return async (kind, { request, token }, grace = 0) => {
    const { header, claims } = decodeUnverified(token)
    checkHeader(kind, header)
    await checkSignature(kind, request, token)
    return checkClaims(kind, claims, { issuer, audience: audiences[kind], leeway, grace, now: now() / 1000 })
  }
}
