import type { Queryable } from '../database.ts'

/** Where a sweep tells what it did; a Fastify or pino logger fits. */
export interface SweepLog {
  info(details: object, message: string): void
  warn(details: object, message: string): void
}

/** Rows that one statement removes at the most: a sweep must not hold up refreshes. */
const BATCH = 500

/** Least time that ended sessions are kept after the last access token of theirs, in seconds. */
const MARGIN = 3600

// An index on a day finds the rows; SKIP LOCKED leaves alone a session that is being renewed at this moment. The rows are
// chosen once, in a materialised CTE: as a subquery of IN a plan may choose anew for each row, past what it has deleted,
// and so remove any number.
const SESSIONS = `
  WITH old AS MATERIALIZED (
    SELECT s.id FROM sessions s
     WHERE s.sweep_on <= now()::date
       AND coalesce(s.ended_at, s.idle_ends_at) < now() - make_interval(secs => $1::float8)
     ORDER BY s.sweep_on LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)
  DELETE FROM sessions s USING old WHERE s.id = old.id RETURNING s.id`
const ATTEMPTS = `
  WITH old AS MATERIALIZED (
    SELECT a.bucket FROM attempts a
     WHERE a.sweep_on <= now()::date AND a.updated_at < now() - interval '24 hours'
     ORDER BY a.sweep_on LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)
  DELETE FROM attempts a USING old WHERE a.bucket = old.bucket RETURNING a.bucket`

/**
 * Removes what has ended long enough ago: sessions whose last access token (a life of `accessLife` seconds, leeway included) expired more
 * than an hour ago, and attempts that are forgotten. Returns the number of rows; safe on several instances at once.
 */
export async function sweep(database: Queryable, accessLife: number): Promise<number> {
  return (await drain(database, SESSIONS, [accessLife + MARGIN])) + (await drain(database, ATTEMPTS, []))
}

async function drain(database: Queryable, statement: string, values: readonly unknown[]): Promise<number> {
  let removed = 0
  for (let batch = BATCH; batch === BATCH; removed += batch) batch = (await database.query(statement, values)).length
  return removed
}

/** A minute after the start, then every ten; each give or take half, so that instances do not meet. In milliseconds. */
const FIRST = 60_000
const PERIOD = 600_000

/** Sweeps regularly, and returns what ends it. */
export function sweepRegularly(database: Queryable, accessLife: number, log: SweepLog): () => void {
  let timer: NodeJS.Timeout
  let stopped = false
  const plan = (pause: number) => {
    if (!stopped) timer = setTimeout(run, pause * (0.5 + Math.random())).unref()
  }
  const run = () =>
    sweep(database, accessLife)
      .then(
        (removed) => log.info({ removed }, 'swept ended sessions and forgotten attempts'),
        (error) => log.warn({ err: error }, 'the sweep failed; the next one makes up for it')
      )
      .finally(() => plan(PERIOD))
  plan(FIRST)
  return () => {
    stopped = true
    clearTimeout(timer)
  }
}
