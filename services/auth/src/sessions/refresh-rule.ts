import type { RefreshClaims } from '@latchkey/tokens/claims'
import { hasCustomKey } from './custom-key.ts'

/** The state of a session and its user at one instant, as the rule needs it. */
export interface SessionState {
  /** The session has not ended, and its user is enabled. */
  readonly alive: boolean
  readonly token_hash: Buffer
  /** The current generation. */
  readonly generation: number
  /** How many seconds ago the earlier generations were superseded, the latest first; at most the last eight. */
  readonly superseded_ago: readonly number[]
  /** When it was read, in seconds since 1970 by the database's clock. */
  readonly now: number
}

/** How refresh tokens rotate. */
export interface RotationSettings {
  /** `false`: a session has one refresh token for all its life, and theft is not detected. */
  readonly rotation: boolean
  /** How long a superseded token still gets its successor, in seconds. */
  readonly reuseWindow: number
}

/**
 * The token that a refresh gets: the `next` generation; the current one `again`; without rotation the `same`; or, if
 * the database has lost commits, one that moves it `forward` past the shown token.
 */
export type Granting = 'next' | 'again' | 'same' | 'forward'

/**
 * Why a refresh is refused: the session is `dead`, or no longer accepts the token; the token is too far `ahead` of the
 * database; or it was superseded too long ago: `theft`.
 */
export type Refusing = 'dead' | 'ahead' | 'theft'

/** Most generations that the database may have lost of a session, and the longest time since then, in seconds. */
const MOST_LOST = 8
const LOST_WITHIN = 3600

/**
 * Decides what a genuine refresh token is worth: a pure function, whose table is in ARCHITECTURE.md.
 *
 * The order is part of the rule: a token from before a password change is no sign of theft, whatever its generation.
 */
export function decide(state: SessionState, shown: RefreshClaims, settings: RotationSettings): Granting | Refusing {
  if (!state.alive || !hasCustomKey(shown, state.token_hash)) return 'dead'
  const behind = state.generation - shown.generation
  if (behind < 0) return behind >= -MOST_LOST && shown.iat >= state.now - LOST_WITHIN ? 'forward' : 'ahead'
  if (behind === 0) return settings.rotation ? 'next' : 'same'
  const ago = state.superseded_ago[behind - 1] ?? Number.POSITIVE_INFINITY
  if (ago < settings.reuseWindow) return 'again'
  return settings.rotation ? 'theft' : 'dead'
}
