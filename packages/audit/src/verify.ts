import type { Database, Queryable } from '@latchkey/database/pool'
import { beginningOf } from './beginning.ts'
import { personalDataOf, type SealedRecord } from './chain.ts'
import { type ErasureCounts, Erasures } from './erasures.ts'
import type { GivenHead } from './given-heads.ts'
import type { PublicKeys } from './given-keys.ts'
import { HeadCheck, type HeadCounts } from './head-check.ts'
import {
  countBeyond,
  headsOutside,
  pagesOf,
  readByIndex,
  type StoredHead,
  storedEnds,
  storedHeads,
  unsealed
} from './pages.ts'
import { openSignatures } from './signatures.ts'
import { tellRuns } from './tampering.ts'
import { missing, type Point, Walk } from './walk.ts'

/** What the log is compared with. */
export interface Evidence {
  /** Heads that were kept elsewhere. */
  readonly heads?: readonly GivenHead[]
  /** Keys that are known from elsewhere. */
  readonly keys?: PublicKeys
  /** The `kid` of each revoked key. */
  readonly revoked?: ReadonlySet<string>
}

/** What was verified. */
export interface Verified {
  readonly faults: number
  readonly records: number
  /** The numbers behind which the log begins, and at which it ends. */
  readonly begin: number
  readonly end: number
  /** Records that have no number yet, and the time of the oldest. */
  readonly unsealed: { readonly count: number; readonly oldest: Date | null }
  readonly erasures: ErasureCounts
  readonly heads: HeadCounts
}

/**
 * Verifies the whole audit log: recomputes its chain, compares heads, and checks personal data against their hashes.
 *
 * Reads in pages, in one snapshot, so services may go on writing, sealing and removing. `tell` gets each fault as a
 * sentence that names its record.
 */
export function verifyLog(
  database: Database,
  { heads = [], keys = new Map(), revoked = new Set() }: Evidence,
  tell: (fault: string) => void
): Promise<Verified> {
  return database.transaction(async (connection) => {
    await connection.query('/* audit_snapshot */ SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY')
    await readByIndex(connection)
    let faults = 0
    const count = (fault: string) => {
      faults += 1
      tell(fault)
    }
    const check = new HeadCheck(heads, await openSignatures(connection, keys, revoked), count)
    const erasures = new Erasures(count)
    const walk = await walkAll(connection, check, erasures, count)
    const [last] = await storedEnds(connection)
    const hints = { headsAt: (seq: number) => check.hashesAt(seq), end: last?.seq ?? walk.end.seq }
    if (walk.runs.length > 0) await tellRuns(connection, walk.runs, hints, count)
    if (walk.beyond > 0) count(`${walk.beyond} more records do not fit, too many to name`)
    check.end(walk.end)
    const result = { records: walk.records, begin: walk.begin.seq, end: walk.end.seq }
    await tellEnd(connection, walk, count)
    return { ...result, unsealed: await unsealed(connection), erasures: erasures.counts, heads: check.counts, faults }
  })
}

async function walkAll(
  connection: Queryable,
  check: HeadCheck,
  erasures: Erasures,
  tell: (fault: string) => void
): Promise<Walk> {
  let walk: Walk | undefined
  const start = async (first?: SealedRecord) => {
    const begin = await beginningOf(connection, first, tell)
    const heads = begin.seq === 0 ? [] : await storedHeads(connection, begin.seq, begin.seq)
    await check.begin(begin, heads)
    erasures.begin(heads[0]?.at)
    return new Walk(begin, tell)
  }
  for await (const page of pagesOf(connection)) {
    walk ??= await start(page[0])
    const heads = headsBySeq(await storedHeads(connection, page[0]?.seq ?? 0, page.at(-1)?.seq ?? 0))
    for (const record of page) {
      const seen = walk.step(record)
      await check.see(seen, heads.get(record.seq) ?? [])
      erasures.see(record, personalDataOf(record))
    }
    await erasures.endPage(connection)
  }
  return walk ?? start()
}

function headsBySeq(heads: readonly StoredHead[]): Map<number, StoredHead[]> {
  const bySeq = new Map<number, StoredHead[]>()
  for (const head of heads) bySeq.set(head.seq, [...(bySeq.get(head.seq) ?? []), head])
  return bySeq
}

/** Compares the last record with the stored end, and tells of stored heads of records that are not there. */
async function tellEnd(connection: Queryable, { begin, end }: Walk, tell: (fault: string) => void): Promise<void> {
  const ends = await storedEnds(connection)
  const [stored] = ends
  if (!stored || ends.length > 1)
    tell(`audit_head has ${ends.length === 0 ? 'no row' : 'more than one row'}: it has one`)
  else tellDifference(end, stored, tell)
  const beyond = await countBeyond(connection)
  if (beyond > 0) tell(`${beyond} records have numbers beyond ${Number.MAX_SAFE_INTEGER}: they were inserted`)
  const outside = await headsOutside(connection, begin.seq, end.seq)
  if (outside.count === 0) return
  const last = outside.last ?? 0
  const cut = last > end.seq ? `${missing(end.seq + 1, last)}, or these heads are false` : 'they are false'
  tell(`${outside.count} stored heads are of records that are not in the log, of ${outside.first} to ${last}: ${cut}`)
}

function tellDifference(end: Point, stored: { seq: number; hash: Buffer }, tell: (fault: string) => void): void {
  if (stored.seq > end.seq) {
    tell(`the log was cut: the chain ends at record ${stored.seq} (audit_head). So ${missing(end.seq + 1, stored.seq)}`)
  } else if (stored.seq < end.seq) {
    tell(
      `the chain ends at record ${stored.seq} (audit_head): what is behind it, up to record ${end.seq}, was inserted, or audit_head is false`
    )
  } else if (end.hash && !stored.hash.equals(end.hash)) {
    tell(`record ${end.seq} is the last one, but audit_head has another hash: one of them was altered`)
  }
}
