import type { Queryable } from '@latchkey/database/pool'
import type { Statement } from '@latchkey/database/statement'
import { SIGNALLED } from './kinds.ts'
import type { LoggedRecord } from './record.ts'

/** How far a stream has read. */
export interface LogPlace {
  /** The last record that it has dealt with. */
  readonly seq: number
  /** The hash of that record; null if it is not known. */
  readonly mark: Buffer | null
  /** The time of that record. */
  readonly read_at: Date
  /** How many SETs of the next record it has dealt with. */
  readonly part: number
}

/** The next records, and the place behind them. */
export interface LogPage {
  readonly records: LoggedRecord[]
  readonly to: LogPlace
  /** Whether the log goes on behind it. */
  readonly more: boolean
}

/** Records that are looked through at once. */
const STEP = 1000

/** The columns of a record, where the records are called `r`. */
export const COLUMNS = `r.seq, r.id, to_char(r.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS at, r.event, r.outcome,
  r.actor_kind, r.actor_id, r.session_id, r.target_kind, r.target_id, r.request_id, r.detail, r.hash`

// By the index of numbers alone: so many records are looked through, however few of them are wanted. Records get their
// numbers in one transaction with the end of the log, so up to it none is missing.
const NEXT: Statement = `/* signals_records */ WITH step AS MATERIALIZED (SELECT * FROM audit_records WHERE seq > $1 AND seq <= $2)
  SELECT ${COLUMNS} FROM step r WHERE r.event = ANY ($3) AND r.outcome = 'done' ORDER BY r.seq`

/** Reads on behind a place. Looks through 1,000 records, of which it returns those that become SETs. */
export async function readOn(connection: Queryable, place: LogPlace): Promise<LogPage> {
  const [step] = await connection.query<{ seq: number; end: number; mark: Buffer | null; read_at: Date | null }>(
    `/* signals_step */ SELECT e.seq, e.end, r.hash AS mark, r.at AS read_at
       FROM (SELECT least(h.seq, $1::bigint + ${STEP}) AS seq, h.seq AS end FROM audit_head h) e
       LEFT JOIN audit_records r ON r.seq = e.seq AND r.seq IS NOT NULL`,
    [place.seq]
  )
  if (!step || step.end <= place.seq) return { records: [], to: place, more: false }
  const records = await connection.query<LoggedRecord>(NEXT, [place.seq, step.seq, SIGNALLED])
  const to = { seq: step.seq, mark: step.mark, read_at: step.read_at ?? place.read_at, part: 0 }
  return { records, to, more: step.seq < step.end }
}

/** The ends of the log, and the hash of the record of a place. */
export interface LogState {
  readonly end: number
  /** The lowest number that is there; one more than `end` where there is none. */
  readonly first: number
  readonly mark: Buffer | null
}

/** Compares a place with the log. */
export async function lookAt(connection: Queryable, { seq }: LogPlace): Promise<LogState> {
  const [state] = await connection.query<{ end: number; first: number | null; mark: Buffer | null }>(
    `/* signals_log_state */ SELECT h.seq AS end, (SELECT min(r.seq) FROM audit_records r WHERE r.seq IS NOT NULL) AS first,
            (SELECT r.hash FROM audit_records r WHERE r.seq = $1 AND r.seq IS NOT NULL) AS mark FROM audit_head h`,
    [seq]
  )
  if (!state) throw new Error('the table audit_head is empty')
  return { ...state, first: state.first ?? state.end + 1 }
}

/**
 * How a place stands to the log: it `fits`; the records behind it were `removed`; or this is `another` log, because it
 * does not reach the place, or has another record there.
 */
export function judgePlace({ seq, mark }: LogPlace, log: LogState): 'fits' | 'removed' | 'another' {
  if (seq > log.end) return 'another'
  if (log.first > seq + 1) return 'removed'
  if (mark && log.mark && !mark.equals(log.mark)) return 'another'
  return 'fits'
}

/**
 * Finds where a stream goes on in another log: behind the last record that is older than the one that it had read, by a
 * minute. What was restored is older, and what is new since is younger. A SET that comes again has the id it had.
 */
export async function findAgain(connection: Queryable, { read_at }: LogPlace): Promise<LogPlace> {
  const [found] = await connection.query<{ seq: number; mark: Buffer; read_at: Date }>(
    `/* signals_place_before */ SELECT r.seq, r.hash AS mark, r.at AS read_at FROM audit_records r
      WHERE r.seq IS NOT NULL AND r.at < $1::timestamptz - interval '1 minute' ORDER BY r.seq DESC LIMIT 1`,
    [read_at]
  )
  const [first] = found
    ? []
    : await connection.query<{ seq: number | null }>(
        '/* signals_place_first */ SELECT min(r.seq) AS seq FROM audit_records r WHERE r.seq IS NOT NULL',
        []
      )
  return found ? { ...found, part: 0 } : { seq: Math.max(0, (first?.seq ?? 1) - 1), mark: null, read_at, part: 0 }
}
