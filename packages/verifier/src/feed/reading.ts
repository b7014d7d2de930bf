import type { Answer } from './answer.ts'
import { Knowledge } from './knowledge.ts'

/**
 * What an answer was good for.
 *
 * - `complete`: nothing is missing as of before its question.
 * - `replaced`: the same, and what was read again has taken the place of what was known.
 * - `more`: it was read, and there is more.
 * - `anew`: a key that signed some of what is known is revoked or held no more, so all must be read again from the beginning.
 * - `disbelieved`: its key is revoked. Only what it said of keys was read.
 * - `full`: there was no room for all of it.
 */
export type Outcome = 'complete' | 'replaced' | 'more' | 'anew' | 'disbelieved' | 'full'

/** How answers become knowledge. It does no I/O. */
export class Reading {
  #known: Knowledge
  /** What is read again from the beginning, until it takes the place of what is known. */
  #anew: Knowledge | undefined
  readonly #most: number
  readonly #isHeld: (kid: string) => boolean

  /** `most` is the largest number of entries; `isHeld` tells whether the key set lists a key. */
  constructor(known: Knowledge, most: number, isHeld: (kid: string) => boolean) {
    this.#known = known
    this.#most = most
    this.#isHeld = isHeld
  }

  get known(): Knowledge {
    return this.#known
  }

  /** The place after which to ask; null from the beginning. */
  get after(): string | null {
    return (this.#anew ?? this.#known).place
  }

  /** Whether all is read again, because what is known is not to be trusted. */
  get isAnew(): boolean {
    return this.#anew !== undefined
  }

  /** Whether a key is revoked: by itself, or by a key that is held. */
  isRevoked(kid: string): boolean {
    return this.#known.hasRevoked(kid, this.#isHeld)
  }

  /** Reads an answer, whose signature was verified with a held key; `now` is in whole seconds. */
  take(answer: Answer, now: number): Outcome {
    const { kid, entries, to, more } = answer
    // Believed from every held key, also from one that calls itself bad, or that another one calls bad.
    for (const entry of entries) if (entry[0] === 'key') this.#known.addKey(entry[1], kid)
    const isTainted = this.#isTainted()
    if (isTainted) this.#anew = new Knowledge()
    if (this.isRevoked(kid)) return 'disbelieved'
    if (isTainted) return 'anew'
    const into = this.#anew ?? this.#known
    if (!into.add(entries, kid, now, this.#most)) return 'full'
    into.place = to
    if (more) return 'more'
    if (!this.#anew) return 'complete'
    this.#replace(this.#anew)
    return 'replaced'
  }

  // A thief may have told what is not, and a place beyond what he kept back. So it does not count what is told now.
  #isTainted(): boolean {
    const { signers, tellers } = this.#anew ?? this.#known
    const isGone = (kid: string) => !this.#isHeld(kid)
    return [...signers].some((kid) => isGone(kid) || this.isRevoked(kid)) || [...tellers.keys()].some(isGone)
  }

  #replace(anew: Knowledge): void {
    anew.changes = this.#known.changes + 1
    this.#known = anew
    this.#anew = undefined
  }
}
