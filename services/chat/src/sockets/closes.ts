/**
 * How the service ends sockets: close code (RFC 6455 §7.4) and reason. PROTOCOL.md says what a client does then. The reason
 * says no more than its word.
 */
export const CLOSES = {
  shutdown: { code: 1001, reason: 'shutdown' },
  binary: { code: 1003, reason: '' },
  too_many_sockets: { code: 1008, reason: 'too_many_sockets' },
  flood: { code: 1008, reason: 'flood' },
  bad_messages: { code: 1008, reason: 'bad_messages' },
  bad_reauth: { code: 1008, reason: 'bad_reauth' },
  fault: { code: 1011, reason: '' },
  overloaded: { code: 1013, reason: '' },
  expired: { code: 4401, reason: '' },
  revoked: { code: 4403, reason: '' }
} as const

/** One of {@link CLOSES}. */
export type CloseName = keyof typeof CLOSES

/** The codes with which the library ends sockets that break the protocol: broken frame, bad UTF-8, frame too large. */
export const CLOSES_OF_LIBRARY = [1002, 1007, 1009] as const

/** Longest wait until a client tries again after 1001 or 1013, in milliseconds. */
const LONGEST_WAIT = 3000

/** After how long a client comes back, in milliseconds: by chance, so that not all come at once. */
export function reconnectAfter(): number {
  return Math.floor(Math.random() * (LONGEST_WAIT + 1))
}
