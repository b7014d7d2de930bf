import type { Database } from '@latchkey/database/pool'
import { type EventLog, emit } from '@latchkey/events/emit'
import { type Background, runInBackground } from '@latchkey/frame/background'
import { prune } from './prune.ts'

/** First run five minutes after the start, then each day, each up to a fifth earlier or later. In milliseconds. */
const FIRST = 300_000
const DAY = 86_400_000
const JITTER = 0.2

/** Removes records that are older than the retention, in the background: {@link prune}. Each step is logged. */
export function pruneDaily(database: Database, log: EventLog, first: number = FIRST): Background {
  return runInBackground({
    run: async (stopping) => {
      await prune(database, (removal) => emit(log, 'audit_pruned', removal), stopping)
    },
    failed: (error) => log.warn({ err: error }, 'old records of the audit log were not removed; the next run does it'),
    first,
    pause: () => DAY,
    jitter: JITTER
  })
}
