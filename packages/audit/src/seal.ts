import type { Database } from '@latchkey/database/pool'
import { type EventLog, emit } from '@latchkey/events/emit'
import { runInBackground } from '@latchkey/frame/background'
import { type HeadSigner, Heads, readEnd } from './heads.ts'
import { OWNS_LOG, ownsLog } from './ownership.ts'

/** Numbers new records, and stores and logs heads. */
export interface Sealer {
  /** Seals what waits and stores the last head, in at most two seconds and one statement; then stops. Never rejects. */
  close(): Promise<void>
}

/** What the sealer needs; without a signer heads stay unsigned. */
interface SealerParts {
  readonly database: Database
  readonly log: EventLog
  readonly signer?: HeadSigner
  /** Milliseconds between two runs. A second by default. */
  readonly pause?: number
}

/** In milliseconds. */
const SECOND = 1000

/** So that instances do not ask at the same time. */
const JITTER = 0.2

/** Records that one statement seals. */
const BATCH = 1000

/** Longest time of the last run, in milliseconds, without its last statement. */
const LAST_RUN = 2000

/**
 * Seals each second what waits. Any number of instances may: one at a time seals, and the others leave the work to it.
 * Where it fails it logs one line, and goes on until it works again.
 */
export function runSealer({ database, log, signer, pause = SECOND }: SealerParts): Sealer {
  const heads = new Heads({ database, log, signer })
  let isAway = false
  let isOwnerKnown = false

  async function run(isOver: () => boolean, isLast = false): Promise<void> {
    if (!isOwnerKnown) {
      if (await ownsLog(database)) log.warn({}, OWNS_LOG)
      isOwnerKnown = true
    }
    let end = await readEnd(database)
    while (end.waits && !isOver()) {
      await heads.keep(end)
      // Another instance seals.
      if ((await seal(database)) === 0) break
      end = await readEnd(database)
    }
    await heads.keep(end, isLast)
    isAway = false
  }

  function failed(error: unknown): void {
    if (!isAway) emit(log, 'audit_failed', { waiting: 0, lost: 0, err: error }, 'the audit log cannot be sealed now')
    isAway = true
  }

  const background = runInBackground({
    run: (stopping) => run(() => stopping.aborted),
    failed,
    first: 0,
    pause: () => pause,
    jitter: JITTER
  })
  return {
    close: async () => {
      await background.close()
      const ends = performance.now() + LAST_RUN
      await run(() => performance.now() > ends, true).catch(failed)
    }
  }
}

async function seal(database: Database): Promise<number> {
  const [done] = await database.query<{ sealed: number }>('/* audit_seal */ SELECT audit_seal($1) AS sealed', [BATCH])
  return done?.sealed ?? 0
}
