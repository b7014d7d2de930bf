import { type Background, runInBackground } from '@latchkey/frame/background'
import { type DeliveryParts, deliverStream } from './deliver.ts'
import { findPushStreams, takeStream } from './lease.ts'

/** When the first look comes after the start, in milliseconds. */
const FIRST = 1000

/** Pause between two looks, in milliseconds: while there are streams to push, and while there are none. */
const PAUSE = 500
const IDLE = 5000

/** So that instances do not look at the same time. */
const JITTER = 0.2

/** Pushes SETs in the background. */
export type Sender = Pick<Background, 'close'>

/**
 * Starts to push SETs. Each look is one statement; a stream that has something to send is taken, and sent beside the
 * others, so that a receiver that hangs delays only its own.
 */
export function startSender(parts: DeliveryParts): Sender {
  const { database, log } = parts
  const sending = new Map<string, Promise<void>>()
  let pause = IDLE
  let isAway = false

  function failed(error: unknown): void {
    // Without streams nothing waits.
    if (!isAway && pause === PAUSE)
      log.warn({ err: error }, 'Shared Signals cannot be sent now; they wait in the audit log')
    isAway = true
  }

  async function send(id: string, stopping: AbortSignal): Promise<void> {
    try {
      const stream = await takeStream(database, id)
      if (stream) await deliverStream(parts, stream, stopping)
      isAway = false
    } catch (error) {
      failed(error)
    } finally {
      sending.delete(id)
    }
  }

  const background = runInBackground({
    run: async (stopping) => {
      const streams = await findPushStreams(database)
      pause = streams.length > 0 ? PAUSE : IDLE
      for (const { id, is_due } of streams) {
        if (is_due && !sending.has(id) && !stopping.aborted) sending.set(id, send(id, stopping))
      }
    },
    failed,
    first: FIRST,
    pause: () => pause,
    jitter: JITTER
  })
  return {
    close: async () => {
      await background.close()
      await Promise.all(sending.values())
    }
  }
}
