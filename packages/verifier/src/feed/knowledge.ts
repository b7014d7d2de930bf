import type { RevocationEntry } from '@latchkey/tokens/revocations'
import { wordsOfKey } from './entries.ts'
import { HashTable } from './hash-table.ts'
import type { Mark } from './mark.ts'

/** Most revoked keys of which one key tells; they are remembered for ever. */
const MOST_KEYS = 10_000

/** A number that refuses every epoch: the whole session has ended. */
const EVERY_EPOCH = Number.POSITIVE_INFINITY

type HashEntry = Extract<RevocationEntry, readonly ['subject' | 'session', ...unknown[]]>

/**
 * What a receiver knows: the entries up to a place. Times are whole seconds of a clock that never steps.
 *
 * Users and sessions stand in one table: a `sub` never is a `sid`, and the epoch of a session's entry is infinite.
 */
export class Knowledge {
  readonly table = new HashTable()
  /** Revoked keys, each with the keys that said so. */
  readonly keys = new Map<string, Set<string>>()
  /** Tokens with a lower `iat` are refused; in seconds since 1970. */
  all = { time: 0, end: 0 }
  /** The place up to which it knows; null before the first answer. */
  place: string | null = null
  /** The keys that signed what is in it. */
  readonly signers = new Set<string>()
  /** The keys that said that keys are revoked, with the number of those. */
  readonly tellers = new Map<string, number>()
  /** Counts the changes: a mark that was checked at this count need not be looked up again. */
  changes: number

  constructor(changes = 1) {
    this.changes = changes
  }

  /** How many entries it holds. */
  get size(): number {
    return this.table.size + this.keys.size + (this.all.time > 0 ? 1 : 0)
  }

  /**
   * Adds the entries of an answer. Of one key the highest number and the latest end stay, because entries are not numbered in
   * the order of epochs.
   *
   * Returns false if there was no room for all: then the answer was not read, and its place must be asked again.
   */
  add(entries: readonly RevocationEntry[], signer: string, now: number, most: number): boolean {
    if (entries.length > 0) this.changes += 1
    this.signers.add(signer)
    if (most - this.table.size < entries.length) this.table.sweep(now)
    let fits = true
    for (const entry of entries) {
      if (entry[0] === 'key') fits = this.addKey(entry[1], signer) && fits
      else if (entry[0] === 'all') this.#addAll(entry[2], now + entry[3])
      else fits = this.#addHash(entry, now, most) && fits
    }
    return fits
  }

  /** Adds a revoked key; false if there is no room. Each signer has room of its own, so that a thief takes none of another's. */
  addKey(kid: string, signer: string): boolean {
    const signers = this.keys.get(kid) ?? new Set()
    if (signers.has(signer)) return true
    const told = this.tellers.get(signer) ?? 0
    if (told >= MOST_KEYS) return false
    this.changes += 1
    this.keys.set(kid, signers.add(signer))
    this.tellers.set(signer, told + 1)
    return true
  }

  /** Whether a key is revoked. What another key said counts while that key is held. */
  hasRevoked(kid: string, isHeld: (kid: string) => boolean): boolean {
    for (const signer of this.keys.get(kid) ?? []) if (isHeld(signer)) return true
    return false
  }

  /** Whether an entry refuses a token because of its user, its session or its time. */
  refuses({ sub, sid, epoch, iat }: Mark): boolean {
    if (iat < this.all.time) return true
    return (
      this.table.get(sub[0], sub[1], sub[2], sub[3]) > epoch || this.table.get(sid[0], sid[1], sid[2], sid[3]) > epoch
    )
  }

  /** Drops some of the entries that have ended; repeated calls drop all. */
  sweep(now: number): void {
    this.table.sweep(now, 16)
    if (this.all.end < now) this.all = { time: 0, end: 0 }
  }

  #addHash([kind, key, number, seconds]: HashEntry, now: number, most: number): boolean {
    const words = wordsOfKey(key)
    if (this.table.size >= most && this.table.get(...words) < 0) return false
    this.table.set(words, kind === 'session' ? EVERY_EPOCH : number, now + seconds)
    return true
  }

  #addAll(time: number, end: number): void {
    this.all = { time: Math.max(this.all.time, time), end: Math.max(this.all.end, end) }
  }
}
