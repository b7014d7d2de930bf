import { Problem } from '@latchkey/problems/problem'
import type { RefreshClaims } from '@latchkey/tokens/claims'
import type { FastifyRequest } from 'fastify'
import type { VerifyToken } from './verify.ts'

/** How long after its end a refresh token still tells that a device is known, in seconds. */
const DEVICE_MEMORY = 90 * 86_400

/** Reads the claims of the refresh token that a request shows beside a password; nothing without a genuine one. */
export type ShownDevice = (request: FastifyRequest) => Promise<RefreshClaims | undefined>

/**
 * Makes what recognises a device by an earlier refresh token, expired at most 90 days ago.
 *
 * It refuses nobody: what cannot be read or is not genuine counts as no token. It throws `unavailable` as
 * {@link VerifyToken} does.
 */
export function createShownDevice(
  verifyToken: VerifyToken,
  findToken: (request: FastifyRequest) => string | undefined
): ShownDevice {
  return async (request) => {
    try {
      const token = findToken(request)
      return token === undefined ? undefined : await verifyToken('refresh', { request, token }, DEVICE_MEMORY)
    } catch (error) {
      if (error instanceof Problem && error.code !== 'unavailable') return undefined
      throw error
    }
  }
}
