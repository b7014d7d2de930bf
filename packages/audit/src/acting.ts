import type { Database, Queryable } from '@latchkey/database/pool'
import { type EventLog, emit } from '@latchkey/events/emit'
import type { AuditedName, EventFields } from '@latchkey/events/events'
import { type NewRecord, type Personal, recordOf, type Source } from './record.ts'
import { writeRecords } from './write.ts'

/** On whose behalf something is done: a request, a command of `npm run admin`, or the service itself. */
export interface Acting extends Source {
  readonly database: Database
  readonly log: EventLog
  /** The account that somebody unknown aims at, once it is found. */
  account?: string | undefined
  /** The records of the last change. If it fails, only the database knows whether it was made and they were written. */
  written?: readonly NewRecord[]
  /** Whether a change was made, with its records: what fails afterwards does not undo it. */
  isDone?: boolean
}

/**
 * Notes that an event of the change happens. `personal` are further personal data of the person who acts, only for the
 * record. `message` is for the log; by default it is that of the list of events. `source` is who has asked for it, where
 * that was an earlier request.
 */
export type Note = <N extends AuditedName>(
  name: N,
  fields: EventFields<N>,
  more?: { readonly personal?: Personal; readonly message?: string; readonly source?: Source }
) => void

interface Noted {
  readonly record: NewRecord
  tell(log: EventLog): void
}

/**
 * Runs a change in one transaction, with the audit records of all that it notes, and then logs the same events. So there
 * is no change without its record, and no record or line of what was rolled back.
 *
 * `work` must contain only statements: it is repeated after a serialization failure or deadlock, as in
 * `Database.transaction`.
 */
export async function transact<T>(acting: Acting, work: (connection: Queryable, note: Note) => Promise<T>): Promise<T> {
  let noted: Noted[] = []
  const result = await acting.database.transaction(async (connection) => {
    noted = []
    const note: Note = (name, fields, { personal, message, source = acting } = {}) => {
      noted.push({
        record: recordOf(name, fields, source, personal),
        tell: (log) => emit(log, name, fields, message)
      })
    }
    const done = await work(connection, note)
    const records = noted.map(({ record }) => record)
    if (records.length > 0) {
      // Noted before the commit: if its answer is lost, only the database knows whether the change was made.
      acting.written = records
      await writeRecords(connection, records)
    }
    return done
  })
  if (noted.length > 0) acting.isDone = true
  for (const { tell } of noted) tell(acting.log)
  return result
}
