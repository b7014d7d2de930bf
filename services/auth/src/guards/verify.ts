import type { App } from '@latchkey/frame/app-type'
import type { Claims, Kind } from '@latchkey/tokens/claims'
import { decodeUnverified } from '@latchkey/tokens/compact'
import { checkClaims, checkHeader } from '@latchkey/tokens/rules'
import type { FastifyRequest } from 'fastify'
import type { Keys } from '../keys/folder.ts'
import { checkSignatures } from './signature.ts'

/** The expectations of a token; `leeway` is in seconds. */
interface VerifySettings {
  readonly issuer: string
  readonly audience: readonly string[]
  readonly leeway: number
  /** The present, in milliseconds since 1970. */
  readonly now: () => number
}

/**
 * Verifies a token: form, header, signature, claims. It does not look at its session.
 *
 * `grace`, by default 0, is how long an expired token still passes, in seconds. Throws `invalid_token` and
 * `token_expired`, and `unavailable` while it is unknown which keys are revoked.
 */
export type VerifyToken = <K extends Kind>(
  kind: K,
  shown: { request: FastifyRequest; token: string },
  grace?: number
) => Promise<Claims<K>>

/** Makes the verification of both kinds of tokens, with the keys in force. */
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
