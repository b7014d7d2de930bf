import { unavailable } from '@latchkey/problems/problem'
import { reasonOf } from '@latchkey/problems/reason'
import pg from 'pg'

/** Seconds after which a client may try again while the database is away. */
const RETRY_AFTER = 1

// Classes of SQLSTATE that mean that the server is unavailable: connection, authorization, resources, operator's
// intervention, system error, internal error (also a quota or a limit of file sizes). And single states: a read-only
// server, a transaction that took too long, a missing database, a transaction to repeat, files that cannot be written
// (a read-only disk), a lock that was not free in time, a plan that a migration or pooler has made invalid, a schema
// that is missing or being restored.
const PASSING =
  /^(08|28|53|57|58|XX)|^(0A000|25006|25P0[34]|26000|3D000|3F000|40001|40P01|42501|42703|42P01|42P05|55P03)$/

/** The class of an error's SQLSTATE: its first two characters; `connection` without one. */
export function classOf(error: unknown): string {
  return (error instanceof pg.DatabaseError && error.code?.slice(0, 2)) || 'connection'
}

/**
 * What is thrown for an error of the driver: `unavailable`, unless the statement itself is wrong. Errors without an SQLSTATE
 * come from the connection: refused, lost, timed out.
 */
export function explained(error: unknown): unknown {
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
