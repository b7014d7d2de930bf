import type { Queryable } from '@latchkey/database/pool'
import { GENESIS, link, type SealedRecord, textOf } from './chain.ts'
import { lastPruned, type Pruned, storedHeads } from './pages.ts'
import { missing, type Point } from './walk.ts'

/**
 * Finds where the chain begins: at nothing, or at the head that records were removed up to. Tells if records before the
 * first one are missing, or if the head and the record `audit_pruned` of the removal are not there and the same.
 */
export async function beginningOf(
  connection: Queryable,
  first: SealedRecord | undefined,
  tell: (fault: string) => void
): Promise<Point> {
  const pruned = await lastPruned(connection)
  const begin = pruned?.seq ?? 0
  const from = first?.seq ?? begin + 1
  if (from === begin + 1) return pruned ? beginningAt(connection, pruned, first, tell) : { seq: 0, hash: GENESIS }
  if (from > begin + 1) {
    tell(`${missing(begin + 1, from - 1)}. No record audit_pruned tells of their removal`)
  } else if (pruned) {
    tell(
      `record audit_pruned ${pruned.id} tells that records up to ${begin} were removed, but record ${from} (${first?.id}) is there: it is false, or they were inserted`
    )
  }
  const head = from === 1 ? GENESIS : (await storedHeads(connection, from - 1, from - 1))[0]?.hash
  return { seq: from - 1, hash: head ?? null }
}

async function beginningAt(
  connection: Queryable,
  { id, seq, hash }: Pruned,
  first: SealedRecord | undefined,
  tell: (fault: string) => void
): Promise<Point> {
  const [head] = await storedHeads(connection, seq, seq)
  const told = Buffer.from(hash, 'hex')
  const begins = `the log begins behind record ${seq}`
  if (!head) tell(`${begins}, up to which older ones were removed, but the stored head of that record is missing`)
  else if (!head.hash.equals(told))
    tell(`${begins}, whose stored head is not the one that record audit_pruned ${id} tells of`)
  const fitting = [told, ...(head ? [head.hash] : [])].find(
    (before) => first && link(before, textOf(first)).equals(first.hash)
  )
  return { seq, hash: fitting ?? head?.hash ?? told }
}
