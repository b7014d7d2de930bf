import type { Config } from '../config.ts'

/** The window below which a client on a slow network cannot repeat a lost refresh, in seconds. */
const SHORT = 5

/** Says what risk the settings of rotation have, in one line for the log, or nothing. */
export function rotationWarning({
  REFRESH_TOKEN_ROTATION,
  REFRESH_REUSE_WINDOW: window,
  ACCESS_TOKEN_TTL,
  ANSWER_TIMEOUT,
  PASSWORD_TIMEOUT
}: Config): string | undefined {
  if (REFRESH_TOKEN_ROTATION === 'off') {
    return 'REFRESH_TOKEN_ROTATION is off: nobody notices a stolen refresh token (RFC 9700 asks for rotation)'
  }
  if (window < SHORT) {
    return 'REFRESH_REUSE_WINDOW is shorter than 5s: a client whose answer was lost will be taken for a thief'
  }
  if (window < Math.max(ANSWER_TIMEOUT, PASSWORD_TIMEOUT)) {
    return 'REFRESH_REUSE_WINDOW is shorter than ANSWER_TIMEOUT or PASSWORD_TIMEOUT: a client whose answer came too late will be taken for a thief'
  }
  if (window >= ACCESS_TOKEN_TTL) {
    return 'REFRESH_REUSE_WINDOW is not shorter than ACCESS_TOKEN_TTL: a thief who refreshes as often as the client is not noticed'
  }
  return undefined
}
