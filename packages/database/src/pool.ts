import { Problem, unavailable } from '@latchkey/problems/problem'
import { reasonOf } from '@latchkey/problems/reason'
import pg from 'pg'
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

/** Seconds after which a client may try again while the database is away. */
const RETRY_AFTER = 1

// Classes of SQLSTATE that mean that the server is unavailable: connection, authorization, resources, operator's
// intervention, system error, internal error (also a quota or a limit of file sizes). And single states: a read-only
// server, a transaction that took too long, a missing database, a transaction to repeat, files that cannot be written
// (a read-only disk), a lock that was not free in time, a plan that a migration or pooler has made invalid, a schema
// that is missing or being restored.
const PASSING =
  /^(08|28|53|57|58|XX)|^(0A000|25006|25P0[34]|26000|3D000|3F000|40001|40P01|42501|42703|42P01|42P05|55P03)$/

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
  const way = pooled ? unprepared(limits) : PREPARED
  return {
    query: (sql, values) =>
      pooled ? inTransaction(pool, way, (on) => on.query(sql, values)) : run(pool, way.statement(sql, values)),
    transaction: (work) => repeatedly(() => inTransaction(pool, way, work)),
    close: () => pool.end()
  }
}

/** The only style in which times are read; a database may have another default. */
const STYLE = 'DateStyle=ISO'

/** How statements are sent, and how a transaction begins. */
interface Way {
  readonly begin: string
  statement(text: string, values: readonly unknown[] | undefined): pg.QueryConfig
}

// With a stricter default, the snapshot would be older than the lock, and a login meanwhile would not be seen.
const BEGIN = 'BEGIN ISOLATION LEVEL READ COMMITTED'

const PREPARED: Way = { begin: BEGIN, statement: prepared }

// A pooler in transaction mode refuses start parameters and gives each transaction another connection. So each
// transaction sets them, and each statement is a transaction.
function unprepared(limits: Readonly<Record<string, number>>): Way {
  const settings = [STYLE, ...Object.entries(limits).map(([name, ms]) => `${name}=${ms}`)]
  return {
    begin: [BEGIN, ...settings.map((setting) => `SET LOCAL ${setting}`)].join('; '),
    statement: (text, values) => ({ text, values: values as unknown[] })
  }
}

async function run<R extends object>(on: pg.Pool | pg.PoolClient, statement: string | pg.QueryConfig): Promise<R[]> {
  try {
    const { rows } = await on.query(statement)
    return rows
  } catch (error) {
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
    throw explained(error)
  })
  const lost = () => {}
  client.on('error', lost)
  let broken = false
  try {
    await run(client, way.begin)
    const result = await work({ query: (sql, values) => run(client, way.statement(sql, values)) })
    await run(client, 'COMMIT')
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

// Errors without an SQLSTATE come from the connection: refused, lost, timed out.
function explained(error: unknown): unknown {
  if (error instanceof pg.DatabaseError && !PASSING.test(error.code ?? '')) return error
  const reason = reasonOf(error)
  const hint = POOLED.test(reason) ? '; behind a pooler in transaction mode, set DATABASE_PREPARE=off' : ''
  return unavailable(`database: ${reason}${hint}`, RETRY_AFTER, error)
}

/** The errors of a pooler that takes no start parameters or does not know a prepared statement. */
const POOLED = /^(unsupported startup parameter|prepared statement )/

/** Tells whether a statement failed only because of others at the same time (serialization failure, deadlock). */
export function isToBeRepeated(error: unknown): boolean {
  const { cause } = error as { cause?: { code?: string } }
  return cause?.code === '40001' || cause?.code === '40P01'
}
