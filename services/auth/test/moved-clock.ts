import { createDatabase, serviceUrl } from '@latchkey/testing/database'
import pg from 'pg'
import type { Test } from 'tap'

/** A database whose clock a test moves, and the same clock for the services that use it. */
export interface MovedClock {
  readonly databaseUrl: string
  /** Of the owner, who may do more than the service. */
  readonly ownerUrl: string
  /** The present of both, in milliseconds since 1970. */
  now(): number
  /** Puts both clocks forward, or back. */
  advance(seconds: number): Promise<void>
}

/**
 * Makes a database with a clock of its own: a schema before pg_catalog in the search path has another `now()` and
 * `clock_timestamp()`, which are what every statement of the service asks.
 */
export async function movedClock(t: Test): Promise<MovedClock> {
  const url = await createDatabase(t)
  const client = new pg.Client(url)
  await client.connect()
  t.teardown(() => client.end())
  await client.query(`
    CREATE SCHEMA moved;
    CREATE TABLE moved.clock AS SELECT interval '0' AS ahead;
    GRANT USAGE ON SCHEMA moved TO PUBLIC;
    GRANT SELECT ON moved.clock TO PUBLIC;
    CREATE FUNCTION moved.now() RETURNS timestamptz LANGUAGE sql STABLE
      AS 'SELECT pg_catalog.now() + (SELECT ahead FROM moved.clock)';
    CREATE FUNCTION moved.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
      AS 'SELECT pg_catalog.clock_timestamp() + (SELECT ahead FROM moved.clock)';
    DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = moved, pg_catalog, public', current_database()); END $$`)
  let ahead = 0
  return {
    databaseUrl: await serviceUrl(url),
    ownerUrl: url,
    now: () => Date.now() + ahead * 1000,
    advance: async (seconds) => {
      ahead += seconds
      await client.query('UPDATE moved.clock SET ahead = make_interval(secs => $1)', [ahead])
    }
  }
}
