import { Problem } from '@latchkey/problems/problem'
import type { RefreshClaims } from '@latchkey/tokens/claims'
import type { FastifyRequest } from 'fastify'
import type { VerifyToken } from './verify.ts'

/** How long after its expiry a refresh token still identifies a device, in seconds. */
const DEVICE_MEMORY = 90 * 86_400

/** Reads the claims of the refresh token that a request shows beside a password; nothing without a genuine one. */
export type ShownDevice = (request: FastifyRequest) => Promise<RefreshClaims | undefined>

/**
 * Makes a function that recognises a device by an earlier refresh token that expired at most 90 days ago.
 *
 * It refuses nothing: an unreadable or forged token counts as no token. It throws `unavailable` as {@link VerifyToken}
 * does.
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
