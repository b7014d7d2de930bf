import { link, type SealedRecord, textOf } from './chain.ts'
import type { Run } from './walk.ts'

/** A record that is not right, and what was found out about it. */
export interface Verdict {
  readonly record: SealedRecord
  /** The number that it was sealed with. Absent: nothing of it could be found in the chain. */
  readonly was?: number
  /** Whether its hash is known to be another than the one that it, or the record of its number, was sealed with. */
  readonly otherHash: boolean
}

/** Most hashes that are computed to explain: about a second. */
const MOST_HASHES = 500_000

/** The places that are looked at around a run, and most of one run. */
const AROUND = 2
const MOST_OF_RUN = 32

/** Most places that are looked at. */
const MOST_PLACES = 128

/** The numbers of the records to look at, to explain these runs. */
export function placesOf(runs: readonly Run[]): number[] {
  const places = new Set<number>()
  for (const { from, to, before } of runs) {
    const last = Math.min(to, from + MOST_OF_RUN - 1) + AROUND
    const around = Array.from({ length: last - from + AROUND + 1 }, (_, i) => from - AROUND + i)
    // Before a gap too: a record may have got its number behind the gap.
    const wanted = [before.seq - 1, before.seq, before.seq + 1, ...around].filter((place) =>
      Number.isSafeInteger(place)
    )
    if (places.size + wanted.length > MOST_PLACES) break
    for (const place of wanted) places.add(place)
  }
  return [...places].sort((a, b) => a - b)
}

/**
 * Tries to find with which number each record of the runs was sealed, and after which hash. `records` are those of
 * {@link placesOf}; `known` are further hashes that the chain had, such as heads.
 *
 * A record was sealed with a number if its text with it, behind a hash that is there, makes another hash that is there.
 */
export function explain(
  records: readonly SealedRecord[],
  runs: readonly Run[],
  known: readonly Buffer[] = []
): Verdict[] {
  const hashes = [...records.map(({ hash }) => hash), ...runs.flatMap(({ before: { hash } }) => hash ?? []), ...known]
  const search = new Search(placesOf(runs), hashes, expectedOf(records))
  const suspects = records.flatMap((record) => {
    const run = runs.find(({ from, to }) => record.seq >= from && record.seq <= to)
    return run ? [{ record, found: search.find(record), isChecked: run.standing === 'wrong' }] : []
  })
  const byPlace = new Map(records.map((record) => [record.seq, record]))
  return suspects.flatMap(({ record, found, isChecked }): Verdict[] => {
    if (found) {
      const verdict = { record, was: found.number, otherHash: !found.hash.equals(record.hash) }
      const before = byPlace.get(record.seq - 1)
      const isOfBefore = isChecked && before && !verdict.otherHash && verdict.was === record.seq
      const isNamed = suspects.some((suspect) => suspect.record === before)
      // This one is as it was sealed, so the one before it is not, although it fits.
      return isOfBefore && !isNamed ? [{ record: before, otherHash: true }, verdict] : [verdict]
    }
    // The next one was sealed behind the hash that this one should have.
    const isRightButHash = suspects.some((next) => next.found?.behindExpected === record.seq)
    if (isRightButHash) return [{ record, was: record.seq, otherHash: true }]
    return isChecked ? [{ record, otherHash: false }] : []
  })
}

/** The hashes that records should have, by those before them, with their places. */
function expectedOf(records: readonly SealedRecord[]): [hash: Buffer, place: number][] {
  return records.flatMap((record, i) => {
    const before = records[i - 1]
    if (before?.seq !== record.seq - 1) return []
    const hash = link(before.hash, textOf(record))
    return hash.equals(record.hash) ? [] : [[hash, record.seq]]
  })
}

interface Found {
  readonly number: number
  readonly hash: Buffer
  /** The place of the record whose expected hash, not its stored one, it is behind. */
  readonly behindExpected: number | undefined
}

class Search {
  readonly #places: readonly number[]
  readonly #stored: ReadonlySet<string>
  readonly #before: readonly (readonly [hash: Buffer, expectedAt: number | undefined])[]
  #left = MOST_HASHES
  /** The last difference that was found: whole runs have the same. */
  #shift = 0

  constructor(places: readonly number[], hashes: readonly Buffer[], expected: readonly [Buffer, number][]) {
    this.#places = places
    this.#stored = new Set(hashes.map((hash) => hash.toString('latin1')))
    const stored = [...this.#stored].map((hash) => [Buffer.from(hash, 'latin1'), undefined] as const)
    this.#before = [...stored, ...expected]
  }

  find(record: SealedRecord): Found | undefined {
    const likely = [record.seq, record.seq + this.#shift]
    const others = this.#places.filter((place) => !likely.includes(place))
    for (const number of new Set([...likely, ...others])) {
      const found = this.#tryNumber(record, number)
      if (!found) continue
      this.#shift = number - record.seq
      return found
    }
    return undefined
  }

  #tryNumber(record: SealedRecord, number: number): Found | undefined {
    const text = textOf(record, number)
    for (const [before, behindExpected] of this.#before) {
      if (this.#left <= 0) return undefined
      this.#left -= 1
      const hash = link(before, text)
      if (this.#stored.has(hash.toString('latin1'))) return { number, hash, behindExpected }
    }
    return undefined
  }
}
