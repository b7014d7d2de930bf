import type { Queryable } from '@latchkey/database/pool'
import { link, type SealedRecord, textOf } from './chain.ts'
import { explain, placesOf, type Verdict } from './explain.ts'
import { pagesOf, recordsAt, storedHeads } from './pages.ts'
import type { Run } from './walk.ts'

/**
 * Tells what is wrong with the records of these runs, each by number and id: altered, inserted, moved or renumbered.
 * `headsAt` are the hashes of heads of a number that were kept elsewhere, `end` is the last number that was sealed.
 */
export async function tellRuns(
  connection: Queryable,
  runs: readonly Run[],
  { headsAt, end }: { headsAt(seq: number): readonly Buffer[]; end: number },
  tell: (fault: string) => void
): Promise<void> {
  const places = placesOf(runs)
  const records = await recordsAt(connection, places)
  const stored = await storedHeads(connection, places[0] ?? 0, places.at(-1) ?? 0)
  const verdicts = explain(records, runs, [
    ...stored.map(({ hash }) => hash),
    ...places.flatMap((place) => headsAt(place))
  ])
  for (const line of sentencesOf(verdicts, end)) tell(line)
  for (const run of runs) {
    if (run.standing !== 'wrong') continue
    const last = verdicts.findLast(({ record: { seq } }) => seq >= run.from && seq <= run.to)
    if (last?.record.seq !== run.to) await tellRest(connection, run, last, tell)
  }
}

/** Tells of those records of a run that are beyond the explained ones. */
async function tellRest(
  connection: Queryable,
  run: Run,
  last: Verdict | undefined,
  tell: (fault: string) => void
): Promise<void> {
  let from = run.from
  if (last) {
    const isMoved = last.was !== undefined && last.was !== last.record.seq
    const until = isMoved ? await shiftedUntil(connection, last, run) : last.record.seq
    const shift = (last.was ?? 0) - last.record.seq
    const [first, to] = [last.record.seq + 1, until]
    if (to >= first) tell(`records ${first} to ${to} were renumbered too: they were ${first + shift} to ${to + shift}`)
    from = until + 1
  }
  if (from <= run.to) tell(rest(from, run))
}

/** The last record of a run that was renumbered by the same difference as one of it. */
async function shiftedUntil(connection: Queryable, { record, was = record.seq }: Verdict, run: Run): Promise<number> {
  let before = record
  for await (const page of pagesOf(connection, record.seq + 1, run.to)) {
    for (const next of page) {
      const fits = link(before.hash, textOf(next, next.seq + was - record.seq)).equals(next.hash)
      if (!fits) return before.seq
      before = next
    }
  }
  return before.seq
}

function rest(from: number, { to, firstId, lastId, ...run }: Run): string {
  if (from === to) return altered(to, lastId)
  const ids = from === run.from ? `${firstId} to ${lastId}` : `to ${lastId}`
  return `records ${from} to ${to} (${ids}) do not fit: they were altered or moved`
}

const altered = (seq: number, id: string) =>
  `record ${seq} (${id}) was altered. Or the record before it was, and got a new hash`

const inserted = ({ seq, id }: { seq: number; id: string }) => `record ${seq} (${id}) was inserted`

/** Says what the verdicts mean; records that are right although others before them are not, are not named. */
export function sentencesOf(verdicts: readonly Verdict[], end: number): string[] {
  const lines: string[] = []
  for (let i = 0; i < verdicts.length; ) {
    const verdict = verdicts[i] as Verdict
    const count = verdict.was === undefined || verdict.was === verdict.record.seq ? 1 : lengthOfShift(verdicts, i)
    const line = count > 1 ? renumbered(verdicts.slice(i, i + count)) : single(verdict, i, verdicts, end)
    if (line !== undefined) lines.push(line)
    i += count
  }
  return lines
}

/** How many records from here on were moved by the same difference. */
function lengthOfShift(verdicts: readonly Verdict[], from: number): number {
  const { record, was = record.seq } = verdicts[from] as Verdict
  const others = verdicts.slice(from + 1)
  const end = others.findIndex((v, i) => v.record.seq !== record.seq + i + 1 || v.was !== was + i + 1)
  return (end === -1 ? others.length : end) + 1
}

function renumbered(moved: readonly Verdict[]): string {
  const [first, last] = [moved[0] as Verdict, moved.at(-1) as Verdict]
  const ids = `${first.record.id} to ${last.record.id}`
  return `records ${first.record.seq} to ${last.record.seq} (${ids}) were renumbered: they were ${first.was} to ${last.was}`
}

function single(verdict: Verdict, i: number, verdicts: readonly Verdict[], end: number): string | undefined {
  const { record, was, otherHash } = verdict
  if (was === undefined && otherHash) return `record ${record.seq} (${record.id}) was altered, and got a new hash`
  if (was === undefined && record.seq > end) return inserted(record)
  if (was === undefined) return unknown(record, verdicts[i + 1], verdicts)
  if (was === record.seq) {
    return otherHash ? `record ${was} (${record.id}) has another hash than it was sealed with` : undefined
  }
  const partner = verdicts.find((v) => v.record.seq === was && v.was === record.seq)
  if (!partner) return `record ${record.seq} (${record.id}) was moved: it was number ${was}`
  if (partner.record.seq < record.seq) return undefined
  return `records ${record.seq} (${record.id}) and ${was} (${partner.record.id}) changed places`
}

function unknown({ seq, id }: SealedRecord, next: Verdict | undefined, all: readonly Verdict[]): string | undefined {
  const shift = next?.record.seq === seq + 1 && next.was !== undefined ? next.was - next.record.seq : 0
  // The one of this number is elsewhere, so this is another.
  if (shift < 0 || all.some((v) => v.record.seq !== seq && v.was === seq)) return inserted({ seq, id })
  if (shift === 0) return altered(seq, id)
  const removed = shift === 1 ? `record ${seq} was removed` : `records ${seq} to ${seq + shift - 1} were removed`
  return `${removed}, and record ${seq} (${id}) was renumbered: it was ${seq + shift}`
}
