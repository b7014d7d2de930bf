import type { Database, Queryable } from '@latchkey/database/pool'
import { type EventLog, emit } from '@latchkey/events/emit'
import { ageOf } from './age.ts'
import {
  giveUpOld,
  isBehind,
  lockStream,
  noteGiven,
  type PolledStream,
  readGiven,
  readNew,
  roomFor,
  type Settled,
  settleGiven
} from './given.ts'
import { findPlace } from './place.ts'
import type { UnsignedSet } from './set.ts'

/** What a receiver says with a poll, and how many SETs it takes. */
export interface PollRequest {
  readonly acknowledged: readonly string[]
  /** The code of each SET that it refuses, by its jti. */
  readonly refused: ReadonlyMap<string, string>
  readonly most: number
}

/** SETs for a receiver, the oldest first. */
export interface Taken {
  readonly sets: UnsignedSet[]
  /** Whether there may be more of them. */
  readonly more: boolean
}

/** What taking SETs needs. */
export interface TakeParts {
  readonly database: Database
  readonly issuer: string
  readonly log: EventLog
}

/**
 * Ends what a receiver acknowledges or refuses, and takes the next SETs for it: those that it has got and not
 * acknowledged, then new ones. All in one transaction, so a SET whose answer is lost is there again. Returns nothing if
 * the stream was removed.
 */
export async function takeSets(
  { database, issuer, log }: TakeParts,
  id: string,
  { acknowledged, refused, most }: PollRequest
): Promise<Taken | undefined> {
  const done = await database.transaction(async (connection) => {
    const stream = await lockStream(connection, id)
    if (!stream) return undefined
    const settled = await settleGiven(connection, id, [...acknowledged, ...refused.keys()])
    const late = await giveUpOld(connection, id)
    const taken = await takeNext(connection, { stream, log, issuer, most })
    const isAcknowledged = settled.some(({ jti }) => !refused.has(jti))
    await noteGiven(connection, id, { ...taken, lost: taken.lost + late, acknowledged: isAcknowledged })
    return { taken, settled, late: late + taken.late }
  })
  if (!done) return undefined
  tellSettled(log, id, done.settled, refused)
  if (done.late > 0) emit(log, 'signals_given_up', { stream: id, sets: done.late })
  return { sets: [...done.taken.again, ...done.taken.sets], more: done.taken.more }
}

interface Taking {
  readonly stream: PolledStream
  readonly log: EventLog
  readonly issuer: string
  readonly most: number
}

async function takeNext(connection: Queryable, { stream, log, issuer, most }: Taking) {
  const given = await readGiven(connection, stream, { issuer, most })
  const { place: begin, lost } = await findPlace(connection, log, stream)
  const room = roomFor(most, { returned: given.sets.length, all: given.all })
  const found = await readNew(connection, stream, { begin, issuer, most: room })
  const isUnread = room > 0 ? found.more : await isBehind(connection, stream.id)
  const more = given.all > given.sets.length || isUnread
  return { again: given.sets, sets: found.sets, to: found.to, late: found.late, lost: lost + found.late, more }
}

function tellSettled(
  log: EventLog,
  stream: string,
  settled: readonly Settled[],
  refused: PollRequest['refused']
): void {
  const now = Date.now()
  for (const { jti, at } of settled) {
    const code = refused.get(jti)
    if (code === undefined) emit(log, 'signal_sent', { stream, jti, age: Math.round(ageOf({ at }, now) * 10) / 10 })
    else emit(log, 'signal_refused', { stream, jti, code })
  }
}
