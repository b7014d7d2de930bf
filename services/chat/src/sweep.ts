import type { Database } from '@latchkey/database/pool'
import { type Background, runInBackground } from '@latchkey/frame/background'
import type { FastifyBaseLogger } from 'fastify'
import { sweepInvites } from './rooms/invites.ts'
import { sweepTickets } from './tickets/tickets.ts'

/** First run one minute after the start, then every ten minutes, each up to half earlier or later. In milliseconds. */
const FIRST = 60_000
const PAUSE = 600_000
const JITTER = 0.5

/** Removes what has expired, in the background. */
export function sweepRegularly(database: Database, log: Pick<FastifyBaseLogger, 'info' | 'warn'>): Background {
  return runInBackground({
    run: async (stopping) => {
      const invites = await sweepInvites(database, stopping)
      const tickets = await sweepTickets(database, stopping)
      log.info({ removed: invites + tickets }, 'swept expired invitations and tickets')
    },
    failed: (error) => log.warn({ err: error }, 'the sweep failed; the next one makes up for it'),
    first: FIRST,
    pause: () => PAUSE,
    jitter: JITTER
  })
}
