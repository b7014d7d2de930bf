import type { KeySetLog } from '../key-set.ts'
import type { FeedState, WhenCut } from './freshness.ts'

const MINUTE = 60_000

const CONSEQUENCES: Readonly<Record<WhenCut, string>> = {
  refuse: 'all tokens are refused',
  recent: 'only tokens that were issued within the bound are accepted',
  accept: 'revoked tokens are accepted unless they are known already'
}

/** What a feed logs: each change of its state, the first failure, and once a minute that it is still not current. */
export class Telling {
  readonly #log: KeySetLog
  readonly #whenCut: WhenCut
  #state: FeedState = 'starting'
  #toldAt = Number.NEGATIVE_INFINITY
  readonly #once = new Set<string>()

  constructor(log: KeySetLog, whenCut: WhenCut) {
    this.#log = log
    this.#whenCut = whenCut
  }

  /** Tells what the state is, if that is news; `reason` is that of the last failure. Says whether the state changed. */
  state(state: FeedState, details: object, now: number, reason?: string): boolean {
    const isChanged = state !== this.#state
    this.#state = state
    if (isChanged && state === 'current') this.#log.info(details, 'the revocation feed is current')
    else if (isChanged || (reason !== undefined && now - this.#toldAt >= MINUTE)) {
      this.#toldAt = now
      const because = reason === undefined ? '' : ` (${reason})`
      const what = state === 'current' ? 'was not read' : `is ${state}: ${CONSEQUENCES[this.#whenCut]}`
      this.#log.warn(details, `the revocation feed ${what}${because}`)
    }
    return isChanged
  }

  /** Warns of something once. */
  once(details: object, message: string): void {
    if (this.#once.has(message)) return
    this.#once.add(message)
    this.#log.warn(details, message)
  }

  /** Warns of something that is rare. */
  warn(details: object, message: string): void {
    this.#log.warn(details, message)
  }
}
