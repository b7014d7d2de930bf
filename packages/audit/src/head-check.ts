import type { GivenHead } from './given-heads.ts'
import type { StoredHead } from './pages.ts'
import type { Proof, Signatures } from './signatures.ts'
import { missing, type Point, type Seen } from './walk.ts'

/** How many heads were compared, and what they prove. */
export interface HeadCounts {
  /** Heads that were given and fit. */
  kept: number
  /** Of records that were removed rightly, so there is nothing to compare them with. */
  tooOld: number
  /** Stored heads that fit, by what their signatures prove. */
  vouched: number
  unvouched: number
  revoked: number
  unsigned: number
}

/** Neighbouring heads that do not fit. */
interface Misfit {
  readonly isKept: boolean
  readonly seq: number
  readonly source: string
  /** The last record whose head fits, before them. */
  readonly after: number
  more: number
}

/** No retention is shorter than so many milliseconds (AUDIT_RETENTION): 7 days. */
const SHORTEST_RETENTION = 7 * 86_400_000

/** Most groups of heads that do not fit and are told. */
const MOST = 100

/** Compares heads, stored ones and those that were kept elsewhere, with the records of the chain. */
export class HeadCheck {
  readonly counts: HeadCounts = { kept: 0, tooOld: 0, vouched: 0, unvouched: 0, revoked: 0, unsigned: 0 }
  readonly #given = new Map<number, GivenHead[]>()
  readonly #signatures: Signatures
  readonly #tell: (fault: string) => void
  readonly #misfits: Misfit[] = []
  /** The last record whose head fits: any head, and one that proves it, because it was kept or vouched for. */
  #lastFit = 0
  #lastProof = 0
  #lastKept = -1

  constructor(given: readonly GivenHead[], signatures: Signatures, tell: (fault: string) => void) {
    this.#signatures = signatures
    this.#tell = tell
    for (const head of given) this.#given.set(head.seq, [...(this.#given.get(head.seq) ?? []), head])
  }

  /** The hashes of the given heads of a number. */
  hashesAt(seq: number): Buffer[] {
    return (this.#given.get(seq) ?? []).map(({ hash }) => hash)
  }

  /** Notes where the log begins: heads before it cannot be compared. */
  async begin({ seq, hash }: Point, stored: readonly StoredHead[]): Promise<void> {
    this.#lastFit = seq
    this.#lastProof = seq
    const before = [...this.#given.values()].flat().filter((head) => head.seq < seq)
    this.counts.tooOld += before.length
    const young = before.find(({ at }) => at !== null && at > Date.now() - SHORTEST_RETENTION)
    if (young) {
      this.#tell(
        `records up to ${seq} were removed as too old, but the head of record ${young.seq} in ${young.source} is of ${new Date(young.at ?? 0).toISOString()}: they were removed too early`
      )
    }
    if (hash) await this.#compare(seq, [hash], stored)
  }

  /** Compares the heads of one record. */
  async see({ record: { seq, hash }, standing, expected }: Seen, stored: readonly StoredHead[]): Promise<void> {
    if (stored.length === 0 && !this.#given.has(seq)) return
    // A record that was altered has either its own hash still, or the one that it should have. What fits neither is told.
    if (standing !== 'wrong' || !expected) await this.#compare(seq, [hash], stored)
    else await this.#compare(seq, [hash, expected], stored, false)
  }

  async #compare(seq: number, right: readonly Buffer[], stored: readonly StoredHead[], tells = true): Promise<void> {
    for (const head of stored) {
      const fits = right.some((hash) => hash.equals(head.hash))
      const isGood = this.#noteStored(await this.#proofOf(head, false), fits, seq)
      if (isGood && fits) this.#lastFit = seq
      if (!fits && tells) this.#misfit(seq, false, 'stored')
    }
    for (const head of this.#given.get(seq) ?? []) {
      const fits = right.some((hash) => hash.equals(head.hash))
      const isGood = this.#noteGiven(await this.#proofOf(head, true), fits, head)
      if (!fits && isGood && tells) this.#misfit(seq, true, head.source)
    }
  }

  async #proofOf({ jws, ...head }: Omit<StoredHead, 'at'>, isKept: boolean): Promise<Proof | 'unsigned'> {
    return jws === null ? 'unsigned' : this.#signatures.check({ ...head, jws }, isKept)
  }

  #noteGiven(proof: Proof | 'unsigned', fits: boolean, { seq, source }: GivenHead): boolean {
    if (typeof proof === 'object') {
      this.#tell(`the head of record ${seq} in ${source} is forged: ${proof.fault}`)
      return false
    }
    if (!fits) return true
    this.counts.kept += 1
    this.#lastFit = seq
    this.#lastProof = seq
    this.#lastKept = seq
    return true
  }

  /** Counts a stored head that fits; false if its signature is forged, which is told. */
  #noteStored(proof: Proof | 'unsigned', fits: boolean, seq: number): boolean {
    if (typeof proof === 'object') {
      this.#tell(`the stored head of record ${seq} is forged: ${proof.fault}`)
      return false
    }
    if (fits) this.counts[proof] += 1
    if (fits && proof === 'vouched') this.#lastProof = seq
    return true
  }

  #misfit(seq: number, isKept: boolean, source: string): void {
    const last = this.#misfits.at(-1)
    // A stored head that fits proves nothing against one that was kept: whoever replaced the records replaced it too.
    const after = isKept ? this.#lastProof : this.#lastFit
    // As long as no head between them fits, one reason explains them all; the first of each kind is told.
    const same = this.#misfits.find((misfit) => misfit.after === after && misfit.isKept === isKept)
    if (same) same.more += 1
    else if (this.#misfits.length < MOST) this.#misfits.push({ isKept, seq, source, after, more: 0 })
    else if (last) last.more += 1
  }

  /** Tells which heads do not fit, and which given ones are of records behind the end. */
  end({ seq: end }: Point): void {
    for (const misfit of this.#misfits) this.#tell(this.#sentenceOf(misfit))
    const behind = [...this.#given.values()].flat().filter(({ seq }) => seq > end)
    const [furthest] = behind.sort((a, b) => b.seq - a.seq)
    if (!furthest) return
    const { seq, source } = furthest
    this.#tell(
      `the log was cut: it ends at record ${end}, and ${source} has the head of record ${seq}. So ${missing(end + 1, seq)}, or that head is false`
    )
  }

  #sentenceOf({ isKept, seq, source, after, more }: Misfit): string {
    const which = isKept ? `the head of record ${seq} in ${source}` : `the stored head of record ${seq}`
    // A head from elsewhere that fits further on shows that the chain before it is the one of then.
    if (this.#lastKept > seq || (this.#lastKept === seq && !isKept)) {
      return `${which} is false: it does not fit, but a kept head ${this.#lastKept === seq ? 'of it' : 'after it'} does`
    }
    const others = more === 0 ? '' : ` (and ${more} more after it)`
    const first = Math.min(after + 1, seq)
    const replaced = first === seq ? `record ${seq} was` : `records ${first} to ${seq}, or some of them, were`
    return `${which}${others} does not fit: ${replaced} replaced, or the head is false`
  }
}
