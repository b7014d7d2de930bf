import { type Background, runInBackground } from '@latchkey/frame/background'
import { type DeliveryParts, deliver } from './deliver.ts'
import { takeRequests } from './intake.ts'
import { Pauses } from './pauses.ts'
import { claimMail } from './queue.ts'

/** How many mails one instance sends at once. */
const LOOPS = 4

/** When a loop first looks for mails after the start, in milliseconds: an earlier process may have left some. */
const FIRST = 1000

/** Pause of an idle loop, in milliseconds, up to half longer or shorter: another instance may have added mails. */
const PAUSE = 5000
const JITTER = 0.5

/** Sends mails in the background. */
export interface Sender extends Pick<Background, 'close'> {
  /** Makes a loop that has nothing to do look for mails now. Returns at once. */
  wake(): void
  /** Whether this instance waits, because the mail server cannot be used. */
  isPaused(): boolean
}

/** Starts the sender: loops that each take one mail after the other, make its code and send it. */
export function startSender(parts: Omit<DeliveryParts, 'pauses'>): Sender {
  const pauses = new Pauses(parts.log)
  let away = false

  const loops = Array.from({ length: LOOPS }, () =>
    startLoop(
      { ...parts, pauses },
      {
        looked: (found) => {
          away = false
          if (found) wake()
        },
        failed: (error) => {
          if (!away) parts.log.warn({ err: error }, 'the outbox cannot be used now; its mails wait')
          away = true
        }
      }
    )
  )

  // A loop that has found a mail wakes the next loop. So one mail needs one loop, and many mails are sent at once.
  function wake(): void {
    void loops.find(({ isSending }) => !isSending())?.background.runNow()
  }

  return {
    wake,
    isPaused: () => pauses.left() > 0,
    close: async () => {
      await Promise.all(loops.map(({ background }) => background.close()))
    }
  }
}

/** What a loop tells: whether it has found a mail, or why it could not look. */
interface Reports {
  looked(found: boolean): void
  failed(error: unknown): void
}

function startLoop(parts: DeliveryParts, { looked, failed }: Reports) {
  const { database, lives, pauses } = parts
  let sending = false

  async function run(stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted) {
      // Also during a pause: limits keep the number of mails small, but not the number of requests.
      await takeRequests(parts, lives.reset)
      if (stopping.aborted || pauses.left() > 0) return
      const mail = await claimMail(database)
      sending = mail !== undefined
      looked(sending)
      if (!mail) return
      await deliver(parts, mail, stopping).finally(() => {
        sending = false
      })
    }
  }

  const pause = () => pauses.left() || PAUSE
  const background = runInBackground({ run, failed, first: FIRST, pause, jitter: JITTER })
  return { background, isSending: () => sending }
}
