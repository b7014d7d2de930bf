import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '@latchkey/problems/problem'
import { isBehind } from './given.ts'
import { type PollRequest, type Taken, type TakeParts, takeSets } from './take.ts'

/** Most polls of one stream at an instance at the same time, those that wait among them. */
const MOST_POLLS = 4

/** How often a poll that waits looks at the log, in milliseconds. */
const LOOK = 500

/** Answers polls. */
export interface Polling {
  /**
   * Takes the next SETs of a stream; without any it waits for them, `wait` milliseconds at most, or until `gone` is
   * aborted.
   *
   * Throws `too_many_requests` if four polls of the stream are under way, and `invalid_token` if it was removed.
   */
  poll(id: string, request: PollRequest, waiting: { wait: number; gone: AbortSignal }): Promise<Taken>
}

/** Makes what answers polls. */
export function createPolling(parts: TakeParts): Polling {
  const under = new Map<string, number>()

  async function take(id: string, request: PollRequest): Promise<Taken> {
    const taken = await takeSets(parts, id, request)
    if (!taken) throw new Problem('invalid_token', { detail: REMOVED, reason: 'the stream was removed' })
    return taken
  }

  async function takeInTime(id: string, request: PollRequest, wait: number, gone: AbortSignal): Promise<Taken> {
    const ends = performance.now() + wait
    let taken = await take(id, request)
    const isOver = () => taken.sets.length > 0 || gone.aborted || performance.now() >= ends
    while (!isOver()) {
      const pause = Math.min(LOOK, Math.max(1, ends - performance.now()))
      await sleep(pause, undefined, { signal: gone }).catch(() => {})
      if (!isOver() && (taken.more || (await isBehind(parts.database, id)))) {
        taken = await take(id, { ...request, acknowledged: [], refused: new Map() })
      }
    }
    return taken
  }

  return {
    poll: async (id, request, { wait, gone }) => {
      const count = under.get(id) ?? 0
      if (count >= MOST_POLLS) throw new Problem('too_many_requests', { detail: TOO_MANY, retryAfter: 1 })
      under.set(id, count + 1)
      try {
        return await takeInTime(id, request, wait, gone)
      } finally {
        const left = (under.get(id) ?? 1) - 1
        if (left > 0) under.set(id, left)
        else under.delete(id)
      }
    }
  }
}

const REMOVED = 'There is no such stream any more.'
const TOO_MANY = `At most ${MOST_POLLS} polls of a stream may be under way.`
