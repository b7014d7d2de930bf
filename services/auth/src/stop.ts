import { setTimeout as sleep } from 'node:timers/promises'
import type { Refusals } from '@latchkey/audit/refusals'
import { type EventLog, emit } from '@latchkey/events/emit'
import type { App } from '@latchkey/frame/app-type'

/** By default, in milliseconds: before the process is killed. */
const LAST_MOMENT = 8500

/** How much time the last work has at least, in milliseconds, after requests that took long. */
const LEAST = 1000

/** What ends in order when the service stops. */
interface Stopping {
  readonly app: App
  readonly log: EventLog
  /** Stopped beside the end of open requests, because a mail server or a receiver that hangs takes its time too. */
  readonly senders: readonly { close(): Promise<void> }[]
  readonly refusals: Pick<Refusals, 'unwritten'>
  /** The last work, after the last answer; `sendersStopped` resolves when nothing is being sent. */
  lastWork(sendersStopped: Promise<unknown> | undefined): Promise<void>
  /** When the last work is given up, in milliseconds after the stop began. Before the process is killed. */
  readonly lastMoment?: number
}

/** Ends the work of a service after its last answer, and gives it up in time if the database is silent. */
export function stopInOrder({ app, log, senders, refusals, lastWork, lastMoment = LAST_MOMENT }: Stopping): void {
  let comes: Promise<void> | undefined
  let sendersStopped: Promise<unknown> | undefined
  app.addHook('preClose', async () => {
    comes = sleep(lastMoment, undefined, { ref: false })
    sendersStopped = Promise.all(senders.map((sender) => sender.close()))
  })
  app.addHook('onClose', async () => {
    const tooLate = Promise.all([comes, sleep(LEAST, undefined, { ref: false })]).then(() => true)
    const isLate = await Promise.race([tooLate, lastWork(sendersStopped).then(() => false)])
    if (isLate) emit(log, 'audit_failed', { waiting: 0, lost: refusals.unwritten, err: new Error(SILENT) })
  })
}

const SILENT = 'the database was silent while the service stopped'
