import type { Queryable } from '@latchkey/database/pool'
import { unavailable } from '@latchkey/problems/problem'
import type { RevocationEntry } from '@latchkey/tokens/revocations'
import { SECONDS_LEFT } from './life.ts'

/** Where the revocation feed reads. Each call throws `unavailable` while the database cannot answer. */
export interface FeedSource {
  /** Whether there are rows to number, or rows that others have numbered since this number. One cheap statement. */
  look(since: number): Promise<boolean>
  /**
   * Numbers what was committed. Whatever was committed before the call has its number afterwards, unless the pass
   * {@link Pass.isFull}. It writes also when nothing waits, so that a database that may not write claims nothing.
   */
  pass(): Promise<Pass>
  /** The places of the database that have the numbers of these. One that is not among them has no row, or one with another mark. */
  known(places: readonly string[]): Promise<ReadonlySet<string>>
  /**
   * The entries after a place, at most 10,000; from the beginning where `after` is null or the database lacks the place,
   * as after a restore.
   */
  page(after: string | null): Promise<Page>
}

/** What a pass has done. */
export interface Pass {
  /** When it began, in seconds since 1970, by the clock of this instance. */
  readonly at: number
  /** The highest number afterwards. */
  readonly seq: number
  /** How many rows it numbered. */
  readonly numbered: number
  /** Whether it may have left some, so that it claims nothing. */
  readonly isFull: boolean
  /** Whether a revoked key is among them. */
  readonly hasKey: boolean
}

/** Entries of the feed, in the order of their numbers. */
export interface Page {
  /** The place from which it tells; null from the beginning. */
  readonly after: string | null
  /** The place up to which it tells. */
  readonly to: string
  /** Whether there are more already. */
  readonly more: boolean
  readonly entries: readonly RevocationEntry[]
}

/** Rows that one pass numbers. */
const MOST_NUMBERED = 5000

/** Rows of a page. */
export const MOST_ON_A_PAGE = 10_000

/** Opens the source of the feed. */
export function openSource(database: Queryable): FeedSource {
  return {
    look: async (since) => {
      const [found] = await database.query<{ found: boolean }>(
        `/* revocations_exist */ SELECT EXISTS (SELECT FROM revocations WHERE seq IS NULL) OR (SELECT seq > $1 FROM feed_head) AS found`,
        [since]
      )
      return found?.found === true
    },
    pass: () => numberRows(database),
    known: async (places) => {
      const rows = await database.query<{ place: string }>(
        `/* revocation_places */ SELECT ${PLACE} AS place FROM revocations r
          WHERE r.seq = ANY (SELECT split_part(p, '.', 1)::bigint FROM unnest($1::text[]) AS p)`,
        [places]
      )
      return new Set(rows.map(({ place }) => place))
    },
    page: (after) => readPage(database, after)
  }
}

/** Numbers what was committed; see {@link FeedSource.pass}. */
export async function numberRows(database: Queryable): Promise<Pass> {
  const at = Date.now() / 1000
  const [pass] = await database.query<{ seq: number; numbered: number; has_key: boolean }>(
    '/* revocations_number */ SELECT seq, numbered, has_key FROM number_revocations($1)',
    [MOST_NUMBERED]
  )
  const { seq, numbered, has_key: hasKey } = pass as NonNullable<typeof pass>
  return { at, seq, numbered, isFull: numbered === MOST_NUMBERED, hasKey }
}

interface Row {
  readonly place: string
  readonly kind: RevocationEntry[0]
  readonly key: string | null
  readonly number: number | null
  readonly seconds: number
}

/** The mark of a row `r`: the first 8 bytes of its id. */
export const MARK = `left(replace(r.id::text, '-', ''), 16)`

const PLACE = `r.seq || '.' || ${MARK}`

async function readPage(database: Queryable, asked: string | null): Promise<Page> {
  // From the row of the place on, so that it is seen whether it is there.
  const rows = await database.query<Row>(
    `/* revocations_read */ SELECT ${PLACE} AS place, r.kind, r.key, r.number, ${SECONDS_LEFT} AS seconds FROM revocations r
      WHERE r.seq >= coalesce(
        (SELECT r.seq FROM revocations r WHERE r.seq = split_part($1, '.', 1)::bigint AND ${PLACE} = $1), 0)
      ORDER BY r.seq LIMIT ${MOST_ON_A_PAGE + 1}`,
    [asked]
  )
  const after = rows[0]?.place === asked ? asked : null
  const shown = rows.slice(0, MOST_ON_A_PAGE)
  const last = shown.at(-1)
  if (!last) throw unavailable('the table revocations is empty: npm run admin -- end-all-sessions begins it again')
  const told = after === null ? shown : shown.slice(1)
  return { after, to: last.place, more: rows.length > shown.length, entries: told.flatMap(entryOf) }
}

// A row that has ended, or the first one, is only a place.
function entryOf({ kind, key, number, seconds }: Row): RevocationEntry[] {
  if (kind === 'key') return [[kind, key as string, null, null]]
  if (seconds <= 0 || (kind === 'all' && number === 0)) return []
  if (kind === 'all') return [[kind, null, number as number, seconds]]
  if (kind === 'session') return [[kind, key as string, null, seconds]]
  return [[kind, key as string, number as number, seconds]]
}
