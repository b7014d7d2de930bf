import type { Answer } from './answer.ts'
import { Knowledge } from './knowledge.ts'

/**
 * What an answer was good for.
 *
 * - `complete`: nothing is missing as of before its question.
 * - `more`: it was read, and there is more.
 * - `anew`: a key that signed some of what is known is revoked, so all must be read again from the beginning.
 * - `disbelieved`: its key is revoked. Only what it said of keys was read.
 * - `full`: there was no room for all of it.
 */
export type Outcome = 'complete' | 'more' | 'anew' | 'disbelieved' | 'full'

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

  /** Whether a key is revoked: by itself, or by a key that is held. */
  isRevoked(kid: string): boolean {
    return this.#known.hasRevoked(kid, this.#isHeld)
  }

  /** Reads an answer, whose signature was verified with a held key; `now` is in whole seconds. */
  take(answer: Answer, now: number): Outcome {
    const { kid, entries, to, more } = answer
    const told = entries.flatMap((entry) => (entry[0] === 'key' ? [entry[1]] : []))
    const revoked = told.filter((key) => !this.isRevoked(key))
    // Believed from every held key, also from one that calls itself bad, or that another one calls bad.
    const hasRoom = told.map((key) => this.#known.addKey(key, kid)).every(Boolean)
    const isTainted = this.#distrust(revoked)
    if (this.isRevoked(kid)) return 'disbelieved'
    if (isTainted) return 'anew'
    const into = this.#anew ?? this.#known
    if (!(into.add(entries, kid, now, this.#most) && hasRoom)) return 'full'
    into.place = to
    if (more) return 'more'
    if (this.#anew) this.#replace(this.#anew)
    return 'complete'
  }

  // True if something that is known was signed by one of these keys.
  #distrust(kids: readonly string[]): boolean {
    const into = this.#anew ?? this.#known
    if (!kids.some((kid) => into.signers.has(kid))) return false
    this.#anew = new Knowledge()
    return true
  }

  #replace(anew: Knowledge): void {
    anew.changes = this.#known.changes + 1
    this.#known = anew
    this.#anew = undefined
  }
}
