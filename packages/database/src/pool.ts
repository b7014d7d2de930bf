import { Problem } from '@latchkey/problems/problem'
import pg from 'pg'
import { classOf, explained, isToBeRepeated } from './errors.ts'
import { nameOf, type Statement } from './statement.ts'
import { SHARE } from './time-limits.ts'
import { connectionOf } from './url.ts'

/** Runs statements: the pool, or one connection inside a transaction. */
export interface Queryable<S extends string = Statement> {
  /** Runs one statement and returns its rows. Throws `unavailable` (503) if the database cannot run it now. */
  query<R extends object>(sql: S, values?: readonly unknown[]): Promise<R[]>
}

/** The connections to PostgreSQL. */
export interface Database<S extends string = Statement> extends Queryable<S> {
  /**
   * Runs `work` in a transaction, which is rolled back if it throws. `work` must contain only statements: it is
   * repeated, up to three times, after a serialization failure or deadlock.
   */
  transaction<T>(work: (connection: Queryable<S>) => Promise<T>): Promise<T>
  close(): Promise<void>
  /** The pool of now; for metrics. */
  counts(): PoolCounts
}

/** The connections of the pool, and what has failed since the start. */
export interface PoolCounts {
  readonly idle: number
  readonly busy: number
  /** Who waits for a connection. */
  readonly waiting: number
  /** Statements that failed, by the class of their SQLSTATE; `connection` if they did not reach the server. */
  readonly errors: ReadonlyMap<string, number>
}

/** The settings of the pool; times in seconds. */
interface DatabaseSettings {
  readonly DATABASE_URL: string
  readonly DATABASE_POOL_SIZE: number
  readonly ANSWER_TIMEOUT: number
  /** `off` for a pooler in transaction mode; by default `on`. */
  readonly DATABASE_PREPARE?: 'on' | 'off'
  /** The application name of the connections; by default `latchkey`. */
  readonly application_name?: string
}

// Counters are bigint in the database and far below 2^53; by default the driver returns strings.
const INT8 = 20
pg.types.setTypeParser(INT8, Number)

/**
 * Opens the pool. It connects at the first statement, so a service can start while the database is away. It also runs
 * statements without a name, for tests; the rooms get a `Database`, which takes none.
 *
 * `onLost` gets the errors of idle connections that were lost; the pool replaces them.
 */
export function openDatabase(settings: DatabaseSettings, onLost: (error: Error) => void): Database<string> {
  const timeout = settings.ANSWER_TIMEOUT * 1000
  const limits = { statement_timeout: timeout * SHARE.statement, idle_in_transaction_session_timeout: timeout * 2 }
  const { options = '', ...connection } = connectionOf(settings.DATABASE_URL)
  const pooled = settings.DATABASE_PREPARE === 'off'
  const pool = new pg.Pool({
    application_name: settings.application_name ?? 'latchkey',
    ...connection,
    max: settings.DATABASE_POOL_SIZE,
    connectionTimeoutMillis: timeout * SHARE.step,
    // For a server that does not even report its own time limit.
    query_timeout: timeout * SHARE.step,
    ...(pooled ? { options } : { ...limits, options: `-c ${STYLE} ${options}` })
  })
  pool.on('error', onLost)
  const errors = new Map<string, number>()
  const failed = (error: unknown) => {
    const name = classOf(error)
    errors.set(name, (errors.get(name) ?? 0) + 1)
  }
  const way: Way = { ...(pooled ? unprepared(limits) : PREPARED), failed }
  return {
    query: (sql, values) =>
      pooled ? inTransaction(pool, way, (on) => on.query(sql, values)) : run(pool, way, way.statement(sql, values)),
    transaction: (work) => repeatedly(() => inTransaction(pool, way, work)),
    close: () => pool.end(),
    counts: () => {
      const { idleCount: idle, totalCount, waitingCount: waiting } = pool
      return { idle, busy: totalCount - idle, waiting, errors }
    }
  }
}

/** The only style in which times are read; a database may have another default. */
const STYLE = 'DateStyle=ISO'

/** How statements are sent, and how a transaction begins. */
interface Way {
  readonly begin: string
  statement(text: string, values: readonly unknown[] | undefined): pg.QueryConfig
  /** Gets the error of each statement that fails. */
  failed(error: unknown): void
}

// With a stricter default, the snapshot would be older than the lock, and a login meanwhile would not be seen.
const BEGIN = 'BEGIN ISOLATION LEVEL READ COMMITTED'

const PREPARED: Omit<Way, 'failed'> = { begin: BEGIN, statement: prepared }

// A pooler in transaction mode refuses start parameters and gives each transaction another connection. So each
// transaction sets them, and each statement is a transaction.
function unprepared(limits: Readonly<Record<string, number>>): Omit<Way, 'failed'> {
  const settings = [STYLE, ...Object.entries(limits).map(([name, ms]) => `${name}=${ms}`)]
  return {
    begin: [BEGIN, ...settings.map((setting) => `SET LOCAL ${setting}`)].join('; '),
    statement: (text, values) => ({ text, values: values as unknown[] })
  }
}

async function run<R extends object>(
  on: pg.Pool | pg.PoolClient,
  way: Way,
  statement: string | pg.QueryConfig
): Promise<R[]> {
  try {
    const { rows } = await on.query(statement)
    return rows
  } catch (error) {
    way.failed(error)
    throw explained(error)
  }
}

// Each connection plans a statement once: planning is two thirds of the cost of a short one (docs/decisions/0004).
function prepared(text: string, values: readonly unknown[] | undefined): pg.QueryConfig {
  return { name: nameOf(text), text, values: values as unknown[] }
}

/** Most times that a transaction is started. */
const MOST_ROUNDS = 3

async function repeatedly<T>(transaction: () => Promise<T>): Promise<T> {
  for (let round = 1; ; round += 1) {
    try {
      return await transaction()
    } catch (error) {
      if (round === MOST_ROUNDS || !isToBeRepeated(error)) throw error
    }
  }
}

async function inTransaction<T>(
  pool: pg.Pool,
  way: Way,
  work: (connection: Queryable<string>) => Promise<T>
): Promise<T> {
  const client = await pool.connect().catch((error) => {
    way.failed(error)
    throw explained(error)
  })
  const lost = () => {}
  client.on('error', lost)
  let broken = false
  try {
    await run(client, way, way.begin)
    const result = await work({ query: (sql, values) => run(client, way, way.statement(sql, values)) })
    await run(client, way, 'COMMIT')
    return result
  } catch (error) {
    // After a refusal of the service the connection is intact; after a failure of the database a new one is safer.
    broken = !(error instanceof Problem) || error.code === 'unavailable'
    // Closing a connection rolls it back; waiting for that would be a second wait for a silent server.
    if (!broken) {
      await client.query('ROLLBACK').catch(() => {
        broken = true
      })
    }
    throw error
  } finally {
    client.off('error', lost)
    client.release(broken)
  }
}
