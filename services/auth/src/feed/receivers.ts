import { runInBackground } from '@latchkey/frame/background'
import type { FastifyBaseLogger } from 'fastify'
import { MOST_RECEIVERS, type Receiver } from '../revocations/receivers.ts'

/** Time between two batches, in milliseconds. */
const PAUSE = 1000

/** What the list of receivers needs. */
interface Noting {
  /** Stores who has asked. */
  readonly store: (receivers: readonly Receiver[]) => Promise<void>
  readonly log: Pick<FastifyBaseLogger, 'warn'>
  /** Aborted when the service stops. */
  readonly closing: AbortSignal
}

/**
 * Makes the function that notes who asks, once a second and at most 1,000, for `npm run admin -- receivers`. No answer
 * waits for it. What cannot be stored is lost: receivers ask again.
 */
export function noteWhoAsks({ store, log, closing }: Noting): (receiver: Receiver) => void {
  let asked = new Map<string, Receiver>()
  let isAway = false
  const background = runInBackground({
    run: async () => {
      const batch = [...asked.values()]
      asked = new Map()
      if (batch.length > 0) await store(batch)
      if (batch.length > 0) isAway = false
    },
    failed: (error) => {
      if (!isAway) log.warn({ err: error }, 'who reads the revocation feed cannot be noted')
      isAway = true
    },
    first: PAUSE,
    pause: () => PAUSE
  })
  closing.addEventListener('abort', () => void background.close())
  return (receiver) => {
    const key = JSON.stringify([receiver.ip, receiver.userAgent])
    if (asked.size < MOST_RECEIVERS || asked.has(key)) asked.set(key, receiver)
  }
}
