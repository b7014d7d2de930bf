import { Problem, unavailable } from '@latchkey/problems/problem'
import { reasonOf } from '@latchkey/problems/reason'
import pg from 'pg'
import { SHARE } from './time-limits.ts'
import { connectionOf } from './url.ts'

/** What runs a statement: the pool, or one connection inside a transaction. */
export interface Queryable {
  /** Runs one statement and returns its rows. Throws `unavailable` (503) when the database cannot do it now. */
  query<R extends object>(sql: string, values?: readonly unknown[]): Promise<R[]>
}

/** The connections to PostgreSQL. */
export interface Database extends Queryable {
  /**
   * Runs `work` in a transaction, which is rolled back when it throws. Only statements belong in it: it is done again,
   * up to three times, when others ran at the same time (serialization failure, deadlock).
   */
  transaction<T>(work: (connection: Queryable) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** What the pool needs to know; times in seconds. */
interface DatabaseSettings {
  readonly DATABASE_URL: string
  readonly DATABASE_POOL_SIZE: number
  readonly ANSWER_TIMEOUT: number
  /** `off` for a pooler in transaction mode; by default `on`. */
  readonly DATABASE_PREPARE?: 'on' | 'off'
  /** What the server shows of these connections; by default `latchkey`. */
  readonly application_name?: string
}

// Counters are bigint in the database and stay far below 2^53; without this they would arrive as strings.
const INT8 = 20
pg.types.setTypeParser(INT8, Number)

/** Seconds after which a client may ask again when the database is away. */
const RETRY_AFTER = 1

// Classes of SQLSTATE for a server that cannot be had now: connection, authorization, resources, operator's
// intervention, system error, internal error (also a quota or a limit of file sizes); and the single states for a
// read-only server, a transaction that took too long, a database that is not there, a transaction to repeat, files that
// cannot be written (a read-only disk), a lock that was not had in time, a plan that a migration or a pooler has made
// useless, and a schema that is not there yet or just being restored.
const PASSING =
  /^(08|28|53|57|58|XX)|^(0A000|25006|25P0[34]|26000|3D000|3F000|40001|40P01|42501|42703|42P01|42P05|55P03)$/

/**
 * Opens the pool. It connects at the first statement, so a service starts while the database is away.
 *
 * `onLost` hears of idle connections that were cut; the pool replaces them by itself.
 */
export function openDatabase(settings: DatabaseSettings, onLost: (error: Error) => void): Database {
  const timeout = settings.ANSWER_TIMEOUT * 1000
  const limits = { statement_timeout: timeout * SHARE.statement, idle_in_transaction_session_timeout: timeout * 2 }
  const { options = '', ...connection } = connectionOf(settings.DATABASE_URL)
  const pooled = settings.DATABASE_PREPARE === 'off'
  const pool = new pg.Pool({
    application_name: settings.application_name ?? 'latchkey',
    ...connection,
    max: settings.DATABASE_POOL_SIZE,
    connectionTimeoutMillis: timeout * SHARE.step,
    // For a server that does not even say that its own limit has passed.
    query_timeout: timeout * SHARE.step,
    ...(pooled ? { options } : { ...limits, options: `-c ${STYLE} ${options}` })
  })
  pool.on('error', onLost)
  const way = pooled ? unprepared(limits) : PREPARED
  return {
    query: (sql, values) =>
      pooled ? inTransaction(pool, way, (on) => on.query(sql, values)) : run(pool, way, sql, values),
    transaction: (work) => repeatedly(() => inTransaction(pool, way, work)),
    close: () => pool.end()
  }
}

/** Times are read in this style alone; a database may have another one by default. */
const STYLE = 'DateStyle=ISO'

/** How statements are sent, and how a transaction begins. */
interface Way {
  readonly begin: string
  statement(text: string, values: readonly unknown[]): pg.QueryConfig
}

// Under a stricter default the snapshot would be older than the lock, and what a login did meanwhile not be seen.
const BEGIN = 'BEGIN ISOLATION LEVEL READ COMMITTED'

const PREPARED: Way = { begin: BEGIN, statement: prepared }

// A pooler in transaction mode refuses start parameters, and gives each transaction another connection: what holds for a
// connection elsewhere is set in each transaction, and a statement by itself is one.
function unprepared(limits: Readonly<Record<string, number>>): Way {
  const settings = [STYLE, ...Object.entries(limits).map(([name, ms]) => `${name}=${ms}`)]
  return {
    begin: [BEGIN, ...settings.map((setting) => `SET LOCAL ${setting}`)].join('; '),
    statement: (text, values) => ({ text, values: values as unknown[] })
  }
}

async function run<R extends object>(
  on: pg.Pool | pg.PoolClient,
  way: Way,
  sql: string,
  values?: readonly unknown[]
): Promise<R[]> {
  try {
    const { rows } = await on.query(values ? way.statement(sql, values) : sql)
    return rows
  } catch (error) {
    throw explained(error)
  }
}

const names = new Map<string, string>()

// Each connection plans a statement once: for the short ones of this service, planning is two thirds of their cost
// (docs/decisions/0004). Texts are constant, so there are few names.
function prepared(text: string, values: readonly unknown[]): pg.QueryConfig {
  const name = names.get(text) ?? `latchkey${names.size}`
  names.set(text, name)
  return { name, text, values: values as unknown[] }
}

/** Times that a transaction is begun at the most. */
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

async function inTransaction<T>(pool: pg.Pool, way: Way, work: (connection: Queryable) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch((error) => {
    throw explained(error)
  })
  const lost = () => {}
  client.on('error', lost)
  let broken = false
  try {
    await run(client, way, way.begin)
    const result = await work({ query: (sql, values) => run(client, way, sql, values) })
    await run(client, way, 'COMMIT')
    return result
  } catch (error) {
    // What the service refused itself leaves the connection whole; after a failure of the database a new one is safer.
    broken = !(error instanceof Problem) || error.code === 'unavailable'
    // A connection that is given up is rolled back by its end; to wait for it would be to wait for a stalled server twice.
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

// Errors without an SQLSTATE come from the connection: refused, cut, timed out.
function explained(error: unknown): unknown {
  if (error instanceof pg.DatabaseError && !PASSING.test(error.code ?? '')) return error
  const reason = reasonOf(error)
  const hint = POOLED.test(reason) ? '; behind a pooler in transaction mode, set DATABASE_PREPARE=off' : ''
  return unavailable(`database: ${reason}${hint}`, RETRY_AFTER, error)
}

/** What is heard of a pooler that takes no start parameters, or has no statement of the connection before. */
const POOLED = /^(unsupported startup parameter|prepared statement )/

/** Tells whether a statement failed only because others ran at the same time (serialization failure, deadlock). */
export function isToBeRepeated(error: unknown): boolean {
  const { cause } = error as { cause?: { code?: string } }
  return cause?.code === '40001' || cause?.code === '40P01'
}
