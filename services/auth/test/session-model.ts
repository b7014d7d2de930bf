/** What a refresh token was issued for. */
export interface ModelToken {
  readonly session: number
  readonly generation: number
  readonly key: number
  readonly exp: number
}

interface ModelSession {
  readonly end: number
  key: number
  idleEnd: number
  alive: boolean
  generation: number
  /** When each generation was superseded, the latest first. */
  superseded: number[]
}

const WINDOW = 30
const IDLE = 30 * 86_400
const MOST = 90 * 86_400
const LEEWAY = 5
const REMEMBERED = 8

/**
 * The rules of one user's sessions, as the contract says them and without a database: what a refresh is answered, and
 * which tokens still work. Times are seconds.
 */
export class SessionModel {
  #sessions: ModelSession[] = []
  #key = 0
  #enabled = true

  get enabled(): boolean {
    return this.#enabled
  }

  open(now: number, end = now + MOST): ModelToken {
    const idleEnd = Math.min(now + IDLE, end)
    this.#sessions.push({ end, key: this.#key, idleEnd, alive: true, generation: 0, superseded: [] })
    return this.#token(this.#sessions.length - 1)
  }

  /** The token that a refresh is answered with, or nothing when it is refused. */
  refresh(token: ModelToken, now: number): ModelToken | undefined {
    const session = this.#session(token)
    if (now >= token.exp + LEEWAY || !this.isAlive(token, now)) return undefined
    const behind = session.generation - token.generation
    if (behind === 0) {
      session.generation += 1
      session.superseded = [now, ...session.superseded].slice(0, REMEMBERED)
      session.idleEnd = Math.min(now + IDLE, session.end)
    } else if (now - (session.superseded[behind - 1] ?? Number.NEGATIVE_INFINITY) >= WINDOW) {
      session.alive = false
      return undefined
    }
    return this.#token(token.session)
  }

  isAlive(token: ModelToken, now: number): boolean {
    const session = this.#session(token)
    return this.#enabled && session.alive && now < session.idleEnd && token.key === this.#key
  }

  logout(token: ModelToken): void {
    if (token.key === this.#key) this.#session(token).alive = false
  }

  /** Ends every session; the caller's, if any, goes on as a new one. */
  revokeAll(now: number, caller?: ModelToken): ModelToken | undefined {
    this.#key += 1
    for (const session of this.#sessions) session.alive = false
    return caller && this.open(now, this.#session(caller).end)
  }

  disable(now: number): void {
    this.revokeAll(now)
    this.#enabled = false
  }

  enable(): void {
    this.#enabled = true
  }

  #session({ session }: ModelToken): ModelSession {
    const found = this.#sessions[session]
    if (!found) throw new Error('no such session')
    return found
  }

  #token(session: number): ModelToken {
    const { generation, key, idleEnd } = this.#session({ session, generation: 0, key: 0, exp: 0 })
    return { session, generation, key, exp: idleEnd }
  }
}
