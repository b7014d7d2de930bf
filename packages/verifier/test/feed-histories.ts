import type { RevocationEntry } from '@latchkey/tokens/revocations'
import { accessClaims } from '../../testing/src/tokens.ts'
import type { WhenCut } from '../src/feed/freshness.ts'
import { type Mark, markOf } from '../src/feed/mark.ts'
import { settle } from './fake-clock.ts'
import { AUDIENCE, everybody, FakeFeedClock, ISSUER, session, subject } from './fake-feed.ts'
import { PlayedIssuer, type PlayedKey } from './played-issuer.ts'
import type { Weather } from './played-network.ts'
import { PlayedReceiver } from './played-receiver.ts'
import { random } from './random.ts'

/** What a history found. */
export interface Found {
  readonly faults: readonly string[]
  readonly checks: number
  /** Of all receivers. */
  readonly cutSeconds: number
}

/** In seconds. */
const LENGTH = 180
const STEP = 0.5
/** With a sound network an end is known after so many seconds. */
const SOON = 1

const WEATHERS: readonly Weather[] = [
  'sound',
  'sound',
  'sound',
  'cut',
  'slow',
  'lossy',
  'replays',
  'halves',
  'strangers'
]

/** Plays three minutes of an issuer and of a receiver for each bound, as a seed decides. */
export async function playHistory(seed: number, whenCut: WhenCut, bounds: readonly number[]): Promise<Found> {
  const history = new History(seed, whenCut, bounds)
  await history.play()
  return history.found()
}

interface Issued {
  readonly claims: ReturnType<typeof accessClaims>
  readonly kid: string
  /** What each receiver remembers of it. */
  marks: Mark[]
  endedAt: number
  /** What ended it. */
  entry?: RevocationEntry
  /** The database lost its end: a receiver that has heard of it refuses it, another one does not. */
  isLost: boolean
}

class History {
  readonly #next: () => number
  readonly #clock = new FakeFeedClock()
  readonly #issuer: PlayedIssuer
  readonly #receivers: readonly PlayedReceiver[]
  readonly #tokens: Issued[] = []
  readonly #faults: string[] = []
  #isRobbed = false
  #checks = 0
  #cut = 0

  constructor(seed: number, whenCut: WhenCut, bounds: readonly number[]) {
    this.#next = random(seed)
    this.#clock.random = this.#next
    this.#issuer = new PlayedIssuer(this.#clock)
    const world = { clock: this.#clock, issuer: this.#issuer, next: this.#next }
    this.#receivers = bounds.map((bound) => new PlayedReceiver(world, { whenCut, bound }))
  }

  found(): Found {
    return { faults: this.#faults, checks: this.#checks, cutSeconds: this.#cut }
  }

  async play(): Promise<void> {
    await settle()
    while (this.#now() < LENGTH) {
      this.#happen()
      await this.#clock.pass(STEP)
      for (const receiver of this.#receivers) receiver.fetchKeys()
      for (const [index, receiver] of this.#receivers.entries()) this.#check(receiver, index)
    }
    for (const receiver of this.#receivers) receiver.close()
    await settle()
  }

  #now(): number {
    return this.#clock.elapsed() / 1000
  }

  #oneOf<T>(list: readonly T[]): T | undefined {
    return list[Math.floor(this.#next() * list.length)]
  }

  // What may happen in half a second.
  #happen(): void {
    if (this.#next() < 0.5) this.#issue(this.#issuer.published[0])
    const some = this.#oneOf(this.#tokens)
    if (some && this.#next() < 0.3) {
      this.#end(this.#next() < 0.5 ? session(some.claims.sid) : subject(some.claims.sub, 1), (token) => token === some)
    }
    if (this.#next() < 0.003) {
      const time = Math.floor(this.#issuer.now())
      this.#end(everybody(time), ({ claims }) => claims.iat < time)
    }
    if (this.#next() < 0.01) this.#failOver()
    if (this.#next() < (this.#isRobbed ? 0.05 : 0.004)) this.#revokeKey()
    else if (!this.#isRobbed && this.#next() < 0.004) this.#rob()
    if (this.#next() < 0.02) this.#clock.wrong = (this.#next() - 0.5) * 120_000
    for (const [index, receiver] of this.#receivers.entries()) this.#befall(receiver, index)
  }

  #befall(receiver: PlayedReceiver, index: number): void {
    // A thief goes on for a while when the key is revoked.
    if (!this.#isRobbed && this.#next() < 0.1) receiver.freed()
    if (this.#next() < 0.03) receiver.turn(this.#oneOf(WEATHERS) ?? 'sound')
    if (this.#next() >= 0.005) return
    receiver.restart()
    // A process that starts again remembers no verdict.
    for (const { marks, claims, kid } of this.#tokens) marks[index] = markOf(claims, kid)
  }

  #issue({ kid }: PlayedKey): void {
    const claims = accessClaims(ISSUER, AUDIENCE, Math.floor(this.#issuer.now()))
    const marks = this.#receivers.map(() => markOf(claims, kid))
    this.#tokens.push({ claims, kid, marks, endedAt: Number.POSITIVE_INFINITY, isLost: false })
  }

  #end(entry: RevocationEntry, isMeant: (token: Issued) => boolean): void {
    this.#issuer.end(entry)
    this.#endAll(isMeant, entry)
  }

  #endAll(isMeant: (token: Issued) => boolean, entry?: RevocationEntry): void {
    for (const token of this.#tokens) {
      if (token.endedAt !== Number.POSITIVE_INFINITY || !isMeant(token)) continue
      token.endedAt = this.#now()
      if (entry) token.entry = entry
    }
  }

  #failOver(): void {
    const lost = new Set(this.#issuer.failOver(Math.floor(this.#next() * 4)))
    for (const token of this.#tokens) if (token.entry && lost.has(token.entry)) token.isLost = true
  }

  #rob(): void {
    const key = this.#issuer.published[0]
    const lies = () => this.#tokens.slice(-3).map(({ claims }) => session(claims.sid))
    this.#isRobbed = true
    this.#oneOf(this.#receivers)?.robbedBy({ key, lies })
  }

  #revokeKey(): void {
    const [{ kid }] = this.#issuer.published
    this.#isRobbed = false
    this.#issuer.revokeKey()
    this.#endAll((token) => token.kid === kid)
    for (const receiver of this.#receivers) receiver.disturbed()
  }

  #check(receiver: PlayedReceiver, index: number): void {
    if (receiver.isCut) this.#cut += STEP
    if (receiver.isCut && receiver.isSound) this.#fault('it is cut with a sound network')
    for (const token of this.#tokens) {
      this.#checks += 1
      const code = receiver.verdict(token.marks[index] as Mark)
      if (code === 'accepted') this.#checkAccepted(receiver, token)
      const isKnown = !receiver.isDeceived && !token.isLost
      if (code === 'invalid_token' && isKnown && this.#now() < token.endedAt) this.#fault('a good token is refused')
    }
  }

  #checkAccepted({ isCut, isDeceived, isSound, whenCut, bound }: PlayedReceiver, { endedAt, isLost }: Issued): void {
    if (isCut && whenCut === 'refuse') this.#fault('a token is accepted while it is cut')
    if (isDeceived || isLost) return
    const late = this.#now() - endedAt
    if (whenCut !== 'accept' && late > bound + 1e-6) {
      this.#fault(`bound ${bound} s: a token is accepted ${late} s after its end`)
    }
    if (isSound && late > SOON) this.#fault('a sound receiver does not know an end')
  }

  #fault(what: string): void {
    if (this.#faults.length < 5) this.#faults.push(`${what} (second ${this.#now()})`)
  }
}
