import type { Database, Queryable } from '@latchkey/database/pool'
import type { Statement } from '@latchkey/database/statement'
import { type SealedRecord, textOf } from './chain.ts'
import { pagesOf, readByIndex } from './pages.ts'

/** Which records to export: from a time on, and before a time (RFC 3339 §5.6). */
export interface Period {
  readonly from?: string | undefined
  readonly to?: string | undefined
}

const TIME = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/

/** Whether a text is a time of RFC 3339 §5.6 that exists. */
export function isTime(text: string): boolean {
  const [, year, month, day, hour, minute, second] = (TIME.exec(text) ?? []).map(Number)
  if (year === undefined || month === undefined || day === undefined || year === 0) return false
  const days = new Date(Date.UTC(year, month, 0)).getUTCDate()
  const isDay = month >= 1 && month <= 12 && day >= 1 && day <= days
  return isDay && Number(hour) < 24 && Number(minute) < 60 && Number(second) <= 60 && isOffset(text)
}

function isOffset(text: string): boolean {
  const [, hours = '0', minutes = '0'] = /[+-](\d\d):(\d\d)$/.exec(text) ?? []
  return Number(hours) < 16 && Number(minutes) < 60
}

/** The first and last record of a period by their numbers, and its times as records have them. */
interface Range {
  readonly first: number | null
  readonly last: number | null
  readonly from: string | null
  readonly to: string | null
}

const FORM = `'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'`
// OFFSET 0: the index of times finds the records; without it, the least number would be looked for by walking the log.
const RANGE: Statement = `/* audit_range */ SELECT min(seq) AS first, max(seq) AS last, to_char($1::timestamptz AT TIME ZONE 'UTC', ${FORM}) AS from,
    to_char($2::timestamptz AT TIME ZONE 'UTC', ${FORM}) AS to
  FROM (SELECT seq FROM audit_records
    WHERE seq IS NOT NULL AND at >= coalesce($1::timestamptz, '-infinity') AND at < coalesce($2::timestamptz, 'infinity') OFFSET 0) r`

/**
 * Reads the sealed records of a period by number, in pages of lines that `lineOf` makes; a record without a line is left
 * out.
 *
 * Each page is a transaction of its own, so a slow reader disturbs nobody. Records that are removed or erased meanwhile are
 * exported as they are when their page is read.
 */
export async function* exportLines(
  database: Database,
  { from, to }: Period,
  lineOf: (record: SealedRecord) => string | undefined
): AsyncGenerator<string> {
  const [range] = await database.query<Range>(RANGE, [from ?? null, to ?? null])
  if (!range || range.first === null || range.last === null) return
  const isWithin = ({ at }: SealedRecord) =>
    (range.from === null || at >= range.from) && (range.to === null || at < range.to)
  const byIndex: Queryable = {
    query: (sql, values) =>
      database.transaction(async (connection) => {
        await readByIndex(connection)
        return connection.query(sql, values)
      })
  }
  for await (const page of pagesOf(byIndex, range.first, range.last)) {
    const lines = page.filter(isWithin).map(lineOf)
    yield lines.map((line) => (line === undefined ? '' : `${line}\n`)).join('')
  }
}

/**
 * The whole of a record as one line of JSON. `text` and `personal_text` are exactly what `hash` and `personal_hash` are
 * made of; hashes and salt are in hex.
 */
export function jsonLineOf(record: SealedRecord): string {
  const { seq, detail, personal, personal_salt, personal_hash, hash, ...columns } = record
  return JSON.stringify({
    seq,
    ...columns,
    detail: JSON.parse(detail),
    personal: personal && JSON.parse(personal),
    personal_text: personal,
    personal_salt: personal_salt?.toString('hex') ?? null,
    personal_hash: personal_hash.toString('hex'),
    text: textOf(record),
    hash: hash.toString('hex')
  })
}
