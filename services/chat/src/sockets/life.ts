import { Problem } from '@latchkey/problems/problem'
import type { AccessClaims, EndOfToken, VerifiedToken } from '@latchkey/verifier'
import { TEXT_LENGTH } from '../fields.ts'
import type { Live } from '../live/live.ts'
import { type AdmissionParts, admit, type Credential } from '../tickets/admission.ts'
import type { CloseName } from './closes.ts'
import { FRAME_BYTES } from './frames.ts'
import type { Line } from './line.ts'
import { timeOf } from './messages.ts'
import { MOST_ROOMS } from './rooms.ts'

/** After so many bad ones in a row the socket is closed. */
const MOST_BAD = 3

/** What the life of a socket needs. */
export interface LifeParts extends AdmissionParts {
  readonly live: Live
  /** How long a client may be silent until it is asked, in milliseconds. */
  readonly heartbeat: number
  /** How long before its token expires a client is told, in milliseconds. */
  readonly expiryWarning: number
  readonly messagesPerMinute: number
}

/** The life of one socket: as long as its token is believed, or the next one that the client sends. */
export class Life {
  readonly #parts: LifeParts
  readonly #line: Line
  #token: VerifiedToken
  #stopWatching: () => void
  #isGreeted = false
  #isWarned = false
  #isClosed = false
  #bad = 0

  constructor(parts: LifeParts, line: Line, token: VerifiedToken) {
    this.#parts = parts
    this.#line = line
    this.#token = token
    this.#stopWatching = this.#watch()
  }

  /** What the token says now; a later one may say otherwise. */
  get claims(): AccessClaims {
    return this.#token.claims
  }

  /** How the socket has to be closed, because its token is not believed any more; nothing while it is. */
  end(): CloseName | undefined {
    try {
      this.#parts.verifier.recheck(this.#token)
      return undefined
    } catch (error) {
      return closeOf(error)
    }
  }

  /** Sends the first message. Throws `unavailable` if the database is away. */
  async hello(): Promise<void> {
    const stream = await this.#parts.live.stream()
    const { sub, preferred_username, roles, exp } = this.claims
    this.#line.send({
      type: 'hello',
      user_id: sub,
      username: preferred_username,
      roles,
      expires_at: timeOf(exp),
      stream,
      heartbeat_ms: this.#parts.heartbeat,
      limits: {
        frame_bytes: FRAME_BYTES,
        text_length: TEXT_LENGTH,
        messages_per_minute: this.#parts.messagesPerMinute,
        rooms_per_socket: MOST_ROOMS
      }
    })
    this.#isGreeted = true
    this.warn()
  }

  /** Says once for each token that it will expire soon. */
  warn(): void {
    const left = this.claims.exp * 1000 - Date.now()
    if (this.#isWarned || !this.#isGreeted || left > this.#parts.expiryWarning) return
    this.#isWarned = true
    this.#line.send({ type: 'expiring', expires_at: timeOf(this.claims.exp), in_ms: Math.max(0, left) })
  }

  /**
   * Binds the socket to a later token of the same user. Throws the refusal, and then nothing has changed; after the third
   * in a row the socket is closed. A socket that was closed meanwhile stays as it is.
   */
  async renew(credential: Credential): Promise<void> {
    try {
      const token = await admit(this.#parts, credential)
      const { iss, sub, epoch } = token.claims
      if (iss !== this.claims.iss || sub !== this.claims.sub || epoch < this.claims.epoch) {
        throw new Problem('invalid_token', { reason: 'it is of another user, or from before a later epoch' })
      }
      // Nobody would end another watch.
      if (this.#isClosed) return
      this.#bad = 0
      this.#stopWatching()
      this.#token = token
      this.#isWarned = false
      this.#stopWatching = this.#watch()
    } catch (error) {
      if (error instanceof Problem && error.status === 401) this.#bad += 1
      throw error
    }
  }

  /** Whether too many tokens in a row were refused. */
  get isSpent(): boolean {
    return this.#bad >= MOST_BAD
  }

  close(): void {
    this.#isClosed = true
    this.#stopWatching()
  }

  #watch(): () => void {
    return this.#parts.verifier.watch(this.#token, (reason) => this.#line.close(CLOSE_OF[reason]))
  }
}

/** How a socket is closed whose token has ended. */
export const CLOSE_OF: Record<EndOfToken, CloseName> = {
  revoked: 'revoked',
  expired: 'expired',
  unavailable: 'overloaded'
}

/** How a socket is closed whose token was refused. */
export function closeOf(error: unknown): CloseName {
  const code = error instanceof Problem ? error.code : undefined
  if (code === 'invalid_token') return 'revoked'
  return code === 'token_expired' ? 'expired' : 'overloaded'
}
