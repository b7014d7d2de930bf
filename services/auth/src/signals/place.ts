import type { Queryable } from '@latchkey/database/pool'
import { type EventLog, emit } from '@latchkey/events/emit'
import { findAgain, judgePlace, type LogPlace, lookAt } from './log.ts'

/** Where a stream goes on, and how many records it has lost. */
interface Found {
  readonly place: LogPlace
  readonly lost: number
}

/**
 * Finds where a stream goes on: at its place, the same object, if the log still has it. Otherwise the log tells that
 * records were lost, or that this is another audit log, as after a restore.
 */
export async function findPlace(
  connection: Queryable,
  log: EventLog,
  stream: LogPlace & { readonly id: string }
): Promise<Found> {
  const state = await lookAt(connection, stream)
  const judgement = judgePlace(stream, state)
  if (judgement === 'fits') return { place: stream, lost: 0 }
  const { id, seq, read_at } = stream
  if (judgement === 'removed') {
    const lost = state.first - 1 - seq
    emit(log, 'signals_lost', { stream: id, records: lost })
    return { place: { seq: state.first - 1, mark: null, read_at, part: 0 }, lost }
  }
  const place = await findAgain(connection, stream)
  emit(log, 'signals_rewound', { stream: id, seq, from: place.seq })
  return { place, lost: 0 }
}
