import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from './log.ts'

/** Waits until something is so. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(20)
}

/** The number of records, of those that are sealed, and the last number. */
export const counts = async (log: Log) =>
  (
    await log.rows<{ all: number; sealed: number; last: number }>(
      'SELECT count(*)::int AS all, count(seq)::int AS sealed, coalesce(max(seq), 0)::int AS last FROM audit_records'
    )
  )[0]

/** The stored heads. */
export const headsOf = (log: Log) =>
  log.rows<{ seq: number; hash: string; jws: string | null }>(
    `SELECT seq, encode(hash, 'hex') AS hash, jws FROM audit_heads ORDER BY seq`
  )
