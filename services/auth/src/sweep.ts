import { eraseLate } from '@latchkey/audit/write'
import type { Queryable } from '@latchkey/database/pool'
import { type Background, runInBackground } from '@latchkey/frame/background'
import type { FastifyBaseLogger } from 'fastify'
import { sweepMails } from './mail/sweep.ts'
import { sweepAttempts } from './passwords/attempts.ts'
import { sweepRevocations } from './revocations/sweep.ts'
import { sweepSessions } from './sessions/sweep.ts'

/** First run one minute after the start, then every ten minutes, each up to half earlier or later. In milliseconds. */
const FIRST = 60_000
const PAUSE = 600_000
const JITTER = 0.5

/**
 * Removes old ended sessions, attempts, mails, codes and rows of the revocation feed, and erases what came into the audit log after its person was
 * deleted. `accessLife` is the life of an access token in seconds, with leeway. Returns the number of removed rows.
 */
export async function sweep(database: Queryable, accessLife: number, stopping?: AbortSignal): Promise<number> {
  const sessions = await sweepSessions(database, accessLife, stopping)
  const attempts = await sweepAttempts(database, stopping)
  const mails = await sweepMails(database, stopping)
  const revocations = await sweepRevocations(database, stopping)
  await eraseLate(database, stopping)
  return sessions + attempts + mails + revocations
}

/** Runs {@link sweep} in the background. */
export function sweepRegularly(
  database: Queryable,
  accessLife: number,
  log: Pick<FastifyBaseLogger, 'info' | 'warn'>
): Background {
  return runInBackground({
    run: async (stopping) => {
      const removed = await sweep(database, accessLife, stopping)
      log.info({ removed }, 'swept ended sessions, forgotten attempts, old mails, codes and revocations')
    },
    failed: (error) => log.warn({ err: error }, 'the sweep failed; the next one makes up for it'),
    first: FIRST,
    pause: () => PAUSE,
    jitter: JITTER
  })
}
