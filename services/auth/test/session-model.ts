/** What a refresh token was issued for. */
export interface ModelToken {
  readonly session: number
  readonly generation: number
  readonly key: number
  readonly iat: number
  readonly exp: number
}

interface ModelSession {
  readonly id: number
  readonly end: number
  idleEnd: number
  /** When the current generation began. */
  iat: number
  alive: boolean
  generation: number
  /** When each generation was superseded, the latest first. */
  superseded: number[]
}

/** All that a database knows of one user; it may be kept, and put back when the database loses what came after. */
export interface ModelState {
  sessions: ModelSession[]
  key: number
  enabled: boolean
}

const WINDOW = 30
const IDLE = 30 * 86_400
const MOST = 90 * 86_400
const LEEWAY = 5
const REMEMBERED = 8
const MOST_LOST = 8
const LOST_WITHIN = 3600

/**
 * The rules of one user's sessions, as the contract says them and without a database: what a refresh is answered, and
 * which tokens still work. Times are seconds.
 */
export class SessionModel {
  #state: ModelState = { sessions: [], key: 0, enabled: true }
  // Sessions and keys are drawn by lot, so none is ever the same as one that was lost.
  #drawn = 0

  get enabled(): boolean {
    return this.#state.enabled
  }

  /** What the database holds now. */
  keep(): ModelState {
    return structuredClone(this.#state)
  }

  /** The database has lost all that came after. */
  lose(kept: ModelState): void {
    this.#state = structuredClone(kept)
  }

  open(now: number, end = now + MOST): ModelToken {
    const session = { id: this.#draw(), end, idleEnd: 0, iat: 0, alive: true, generation: 0, superseded: [] }
    this.#state.sessions.push(session)
    return this.#use(session, now)
  }

  /** The token that a refresh is answered with, or nothing when it is refused. */
  refresh(token: ModelToken, now: number): ModelToken | undefined {
    const session = this.#session(token)
    if (!session || now >= token.exp + LEEWAY || !this.isAlive(token, now)) return undefined
    const ahead = token.generation - session.generation
    if (ahead > MOST_LOST || (ahead > 0 && now - token.iat > LOST_WITHIN)) return undefined
    if (ahead >= 0) {
      const skipped = Array<number>(ahead + 1).fill(now)
      session.superseded = [...skipped, ...session.superseded].slice(0, REMEMBERED)
      session.generation = token.generation + 1
      return this.#use(session, now)
    }
    if (now - (session.superseded[-ahead - 1] ?? Number.NEGATIVE_INFINITY) < WINDOW) return this.#token(session)
    session.alive = false
    return undefined
  }

  isAlive(token: ModelToken, now: number): boolean {
    const session = this.#session(token)
    const { enabled, key } = this.#state
    return session !== undefined && enabled && session.alive && now < session.idleEnd && token.key === key
  }

  logout(token: ModelToken): void {
    const session = this.#session(token)
    if (session && token.key === this.#state.key) session.alive = false
  }

  /** Ends every session; the caller's, if any, goes on as a new one. */
  revokeAll(now: number, caller?: ModelToken): ModelToken | undefined {
    this.#state.key = this.#draw()
    for (const session of this.#state.sessions) session.alive = false
    return caller && this.open(now, this.#session(caller)?.end)
  }

  disable(now: number): void {
    this.revokeAll(now)
    this.#state.enabled = false
  }

  enable(): void {
    this.#state.enabled = true
  }

  #draw(): number {
    this.#drawn += 1
    return this.#drawn
  }

  #session(token: ModelToken): ModelSession | undefined {
    return this.#state.sessions.find(({ id }) => id === token.session)
  }

  #use(session: ModelSession, now: number): ModelToken {
    session.iat = now
    session.idleEnd = Math.min(now + IDLE, session.end)
    return this.#token(session)
  }

  #token({ id, generation, iat, idleEnd }: ModelSession): ModelToken {
    return { session: id, generation, key: this.#state.key, iat, exp: idleEnd }
  }
}
