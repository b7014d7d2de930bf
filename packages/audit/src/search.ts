import type { Outcome } from './record.ts'

/** Which records are wanted; each member that is there is a condition. */
export interface Filters {
  /** Who acted, or to whom it was done. */
  readonly user?: string | undefined
  readonly event?: string | undefined
  readonly outcome?: Outcome | undefined
  /** RFC 3339: records of this time and later. */
  readonly from?: string | undefined
  /** RFC 3339: records before this time. */
  readonly to?: string | undefined
  /** Only records with lower numbers. */
  readonly after?: number | undefined
}

/** How an index orders records, and how it compares a number with that of the record. */
interface Order {
  readonly by: string
  readonly under: string
  readonly over: string
  readonly least: string
}

const PLAIN: Order = { by: 'r.seq DESC', under: 'r.seq < ', over: 'r.seq > ', least: 'r.seq >= ' }
// The indexes of the filters have -seq (see the migration).
const FILTERED: Order = { by: '-r.seq', under: '-r.seq > -', over: '-r.seq < -', least: '-r.seq <= -' }

/** One scan of an index, in the order of the page. */
interface Scan {
  /** The conditions that the index has. */
  readonly indexed: readonly string[]
  /** Those that are looked at in each record that it finds. */
  readonly wanted: readonly string[]
}

/** A search as conditions in SQL, where the records are called `r`. */
export interface Search {
  /** The values of the parameters. */
  readonly values: readonly unknown[]
  /** The page is the newest that they find together. */
  readonly scans: readonly Scan[]
  readonly order: Order
  /** Whether a scan may find many records that are not wanted. */
  readonly looksThrough: boolean
}

const OUTCOMES: readonly Outcome[] = ['done', 'refused', 'failed']

/**
 * Chooses the scans for a search. An OR of two columns, or an event without an outcome in one scan, would not come in the
 * order of the page, so all records would be sorted.
 */
export function searchOf({ user, event, outcome, from, to, after }: Filters): Search {
  const values: unknown[] = []
  const when = (value: unknown, write: (parameter: string) => string) =>
    value === undefined ? [] : [write(`$${values.push(value)}`)]
  const order = (user ?? event ?? outcome) === undefined ? PLAIN : FILTERED
  const ofEvent = when(event, (name) => `r.event = ${name}::text`)
  const ofOutcome = when(outcome, (one) => `r.outcome = ${one}::text`)
  const since = when(from, (time) => `${time}::timestamptz`)
  const until = when(to, (time) => `${time}::timestamptz`)
  const window = [
    ...when(after, (seq) => `${order.under}${seq}::bigint`),
    ...since.map((time) => `${order.over}${lastBefore(time)}`),
    ...until.map((time) => `${order.under}${firstAfter(time)}`)
  ]
  // Added to, so that no index is used for it: one of times would have all its records sorted.
  const at = "r.at + interval '0'"
  const times = [...since.map((time) => `${at} >= ${time}`), ...until.map((time) => `${at} < ${time}`)]
  const search = { values, order, looksThrough: user !== undefined && (event ?? outcome) !== undefined }
  if (user !== undefined) {
    const id = `$${values.push(user)}::uuid`
    const wanted = [...ofEvent, ...ofOutcome, ...times]
    const ofUser = [`r.actor_id = ${id}`, `r.target_id = ${id}::text`]
    return { ...search, scans: ofUser.map((one) => ({ indexed: [one, ...window], wanted })) }
  }
  const each =
    event === undefined || outcome !== undefined ? [ofOutcome] : OUTCOMES.map((one) => [`r.outcome = '${one}'`])
  return { ...search, scans: each.map((one) => ({ indexed: [...ofEvent, ...one, ...window], wanted: times })) }
}

/** The numbers of the newest records that meet the conditions. */
export function newest(conditions: readonly string[], order: string, most: number): string {
  return `SELECT r.seq FROM audit_records r WHERE ${['r.seq IS NOT NULL', ...conditions].join(' AND ')}
    ORDER BY ${order} LIMIT ${most}`
}

// Times go back a little from one number to the next, never more than `late`: no record with a higher number than
// `firstAfter` is from before `time`, and none with a lower one than `lastBefore` is from `time` or later.
const LATE = '(SELECT h.late FROM audit_head h)'

function firstAfter(time: string): string {
  return `coalesce((SELECT b.seq FROM audit_records b WHERE b.seq IS NOT NULL AND b.at > ${time} + ${LATE}
    ORDER BY b.at LIMIT 1), 9223372036854775807)`
}

function lastBefore(time: string): string {
  return `coalesce((SELECT b.seq FROM audit_records b WHERE b.seq IS NOT NULL AND b.at < ${time} - ${LATE}
    ORDER BY b.at DESC LIMIT 1), 0)`
}
