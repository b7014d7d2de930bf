import type { RefreshClaims } from '@latchkey/tokens/claims'
import { hasCustomKey } from './custom-key.ts'

/** What the rule needs of a session and its user, read at one instant. */
export interface SessionState {
  /** Neither the session nor its user has come to an end, and the user is enabled. */
  readonly alive: boolean
  readonly token_hash: Buffer
  /** The current generation. */
  readonly generation: number
  /** How many seconds ago the generations before it were superseded, the latest first; the last eight at most. */
  readonly superseded_ago: readonly number[]
  /** When it was read, in seconds since 1970 by the database's clock. */
  readonly now: number
}

/** How refresh tokens rotate. */
export interface RotationSettings {
  /** `false`: a session has one refresh token for all its life, and no theft is noticed. */
  readonly rotation: boolean
  /** Seconds in which a superseded token still stands for its successor. */
  readonly reuseWindow: number
}

/**
 * What a refresh is answered with: the `next` generation, the current one `again`, without rotation the one there is, or,
 * where the database has lost commits, one that moves it `forward` past the token that was shown.
 */
export type Granting = 'next' | 'again' | 'same' | 'forward'

/**
 * Why a refresh is refused: the session is `dead`, or the token not of its making any more; the token is too far `ahead`
 * of the database; or it was superseded too long ago to be an accident: `theft`.
 */
export type Refusing = 'dead' | 'ahead' | 'theft'

/** Most generations that a database may have lost of a session, and longest time since then in seconds. */
const MOST_LOST = 8
const LOST_WITHIN = 3600

/**
 * Decides what a genuine refresh token is worth; a pure function, whose table stands in ARCHITECTURE.md.
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
