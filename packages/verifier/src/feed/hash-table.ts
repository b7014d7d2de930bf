import { randomBytes } from 'node:crypto'

/** Sixteen bytes of a hash, as four 32-bit integers. */
export type Words = readonly [a: number, b: number, c: number, d: number]

/** More of them make a rebuild shorter: with a million entries one moves about 5,000. */
const SEGMENTS = 256
const LEAST_SLOTS = 16
/** A segment is rebuilt when it is fuller than this, and is half full afterwards. */
const FULLEST = 0.75
/** A sweep rebuilds a segment of which this part has ended. */
const WORTH_SWEEPING = 1 / 8
const WORDS = 4
/** Bytes of a slot: a number, the words, and an end. */
const SLOT = 8 + 4 * WORDS + 4

/**
 * A table from hashes to numbers, in typed arrays: at most 56 bytes an entry, and no object for each.
 *
 * It has open addressing with linear probing. A secret of the process decides the slot of a hash, so that nobody can choose
 * hashes that lie together. The table is cut into segments, each of which grows alone, so that no growth stops the process.
 */
export class HashTable {
  readonly #segments = Array.from({ length: SEGMENTS }, () => new Segment())
  readonly #secret = randomBytes(4).readInt32LE()
  #size = 0
  #swept = 0

  /** How many entries it holds. Those that have ended count until they are swept. */
  get size(): number {
    return this.#size
  }

  /** The bytes of its arrays. */
  get bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes, 0)
  }

  /** The number of a hash, or -1. */
  get(a: number, b: number, c: number, d: number): number {
    const mixed = this.#mix(a, b, c, d)
    return (this.#segments[mixed & (SEGMENTS - 1)] as Segment).get(mixed, a, b, c, d)
  }

  /**
   * Sets a hash. Of two numbers the higher stays, of two ends the later; an end is in whole seconds from 1.
   */
  set(hash: Words, number: number, end: number): void {
    const mixed = this.#mix(...hash)
    const segment = this.#segments[mixed & (SEGMENTS - 1)] as Segment
    if (segment.raise(mixed, hash, number, end)) return
    if (segment.isFull) segment.rebuild(0, (...words) => this.#mix(...words))
    segment.add(mixed, hash, number, end)
    this.#size += 1
  }

  /** Drops the entries that ended before `now` from this many segments, the next ones each time; all by default. */
  sweep(now: number, segments = SEGMENTS): void {
    for (let count = 0; count < segments; count += 1) {
      const segment = this.#segments[this.#swept] as Segment
      this.#swept = (this.#swept + 1) % SEGMENTS
      const ended = segment.ended(now)
      if (ended <= segment.size * WORTH_SWEEPING) continue
      segment.rebuild(now, (...words) => this.#mix(...words))
      this.#size -= ended
    }
  }

  /** Calls back with each entry, by segments. Entries may be set between two segments: it misses none that was there before. */
  *segments(): Generator<(call: (hash: Words, number: number, end: number) => void) => void> {
    for (const segment of this.#segments) yield (call) => segment.each(call)
  }

  // Every bit of the hash and of the secret counts for each bit of the result.
  #mix(a: number, b: number, c: number, d: number): number {
    let mixed = Math.imul(a ^ this.#secret, 0x9e3779b1)
    mixed = Math.imul(mixed ^ (mixed >>> 15) ^ b, 0x85ebca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 13) ^ c, 0xc2b2ae35)
    mixed = Math.imul(mixed ^ (mixed >>> 16) ^ d, 0x27d4eb2f)
    return mixed ^ (mixed >>> 15)
  }
}

type Mix = (...hash: Words) => number

/** A part of the table. A slot is free while its end is 0. */
class Segment {
  size = 0
  /** Resizable, because only of such one can memory be given back at once. */
  #bytes = new ArrayBuffer(0, { maxByteLength: 0 })
  #words = new Int32Array(0)
  #numbers = new Float64Array(0)
  #ends = new Uint32Array(0)

  get isFull(): boolean {
    return this.size + 1 > this.#ends.length * FULLEST
  }

  get bytes(): number {
    return this.#bytes.byteLength
  }

  get(mixed: number, a: number, b: number, c: number, d: number): number {
    const slot = this.#find(mixed, a, b, c, d)
    return slot < 0 ? -1 : (this.#numbers[slot] as number)
  }

  /** Raises number and end of a hash; false if it is not there. */
  raise(mixed: number, hash: Words, number: number, end: number): boolean {
    const slot = this.#find(mixed, ...hash)
    if (slot < 0) return false
    this.#numbers[slot] = Math.max(this.#numbers[slot] as number, number)
    this.#ends[slot] = Math.max(this.#ends[slot] as number, end)
    return true
  }

  /** Adds a hash that is not there. */
  add(mixed: number, hash: Words, number: number, end: number): void {
    let slot = this.#first(mixed)
    while (this.#ends[slot]) slot = this.#next(slot)
    this.#words.set(hash, slot * WORDS)
    this.#numbers[slot] = number
    this.#ends[slot] = end
    this.size += 1
  }

  ended(now: number): number {
    let ended = 0
    for (const end of this.#ends) if (end > 0 && end < now) ended += 1
    return ended
  }

  /** Moves the entries that end at `now` or later to new arrays, which they half fill. */
  rebuild(now: number, mix: Mix): void {
    const [old, size] = [this.#copy(), this.size - this.ended(now)]
    const slots = size < LEAST_SLOTS / 2 ? (size === 0 && now > 0 ? 0 : LEAST_SLOTS) : size * 2
    const before = this.#bytes
    const maxByteLength = slots * SLOT
    this.#bytes = new ArrayBuffer(maxByteLength, { maxByteLength })
    this.#numbers = new Float64Array(this.#bytes, 0, slots)
    this.#words = new Int32Array(this.#bytes, slots * 8, slots * WORDS)
    this.#ends = new Uint32Array(this.#bytes, slots * 24, slots)
    this.size = 0
    old((hash, number, end) => {
      if (end >= now) this.add(mix(...hash), hash, number, end)
    })
    // The next full collection may be far away: a million entries would take 100 MB in place of 55.
    before.resize(0)
  }

  each(call: (hash: Words, number: number, end: number) => void): void {
    this.#copy()(call)
  }

  // The arrays as they are now: the segment may get others meanwhile.
  #copy(): (call: (hash: Words, number: number, end: number) => void) => void {
    const [words, numbers, ends] = [this.#words, this.#numbers, this.#ends]
    return (call) => {
      for (let slot = 0; slot < ends.length; slot += 1) {
        const end = ends[slot] as number
        if (end === 0) continue
        const [a = 0, b = 0, c = 0, d = 0] = words.subarray(slot * WORDS, slot * WORDS + WORDS)
        call([a, b, c, d], numbers[slot] as number, end)
      }
    }
  }

  #find(mixed: number, a: number, b: number, c: number, d: number): number {
    if (this.size === 0) return -1
    const words = this.#words
    for (let slot = this.#first(mixed); this.#ends[slot]; slot = this.#next(slot)) {
      const at = slot * WORDS
      if (words[at] === a && words[at + 1] === b && words[at + 2] === c && words[at + 3] === d) return slot
    }
    return -1
  }

  // The high bits of the mixed hash; its low bits chose the segment.
  #first(mixed: number): number {
    return Math.floor(((mixed >>> 0) / 2 ** 32) * this.#ends.length)
  }

  #next(slot: number): number {
    return slot + 1 === this.#ends.length ? 0 : slot + 1
  }
}
