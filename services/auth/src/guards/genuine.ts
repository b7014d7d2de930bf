import { Problem } from '@latchkey/problems/problem'
import type { Claims, Kind } from '@latchkey/tokens/claims'
import type { FastifyRequest } from 'fastify'
import type { VerifyToken } from './verify.ts'

/** How long after its expiry a refresh token still identifies a device, in seconds. */
export const DEVICE_MEMORY = 90 * 86_400

/**
 * Returns the claims of a token that a request shows beside its credential. Returns nothing if there is no genuine one:
 * an unreadable or forged token counts as no token.
 *
 * `grace` is that of {@link VerifyToken}. Throws only `unavailable`, when {@link VerifyToken} does.
 */
export type FindGenuine = <K extends Kind>(
  kind: K,
  shown: { request: FastifyRequest; find: (request: FastifyRequest) => string | undefined },
  grace?: number
) => Promise<Claims<K> | undefined>

/** Makes the search for genuine tokens. */
export function createFindGenuine(verifyToken: VerifyToken): FindGenuine {
  return async (kind, { request, find }, grace) => {
    try {
      const token = find(request)
      return token === undefined ? undefined : await verifyToken(kind, { request, token }, grace)
    } catch (error) {
      if (error instanceof Problem && error.code !== 'unavailable') return undefined
      throw error
    }
  }
}
