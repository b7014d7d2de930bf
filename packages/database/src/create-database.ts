import { reasonOf } from '@latchkey/problems/reason'
import pg from 'pg'
import type { Migration } from './migrate.ts'
import { scramSecret } from './scram-secret.ts'
import { connectionOf } from './url.ts'

/** The advisory lock of those who make databases: a number of our own. */
const LOCK = 7_361_254_910

/** Longest wait for another run, in milliseconds. */
const LOCK_TIMEOUT = 60_000

type Connection = ReturnType<typeof connectionOf>

// Marks a user that was made here, so that only its password is changed.
const MARK = "Made by Latchkey's migrate, which sets its password to that of its URL."

/**
 * Makes the database of `url` where it is missing, and the users of both URLs: `url`'s owns the database, neither has
 * powers beyond it. A user that was made here gets the password of its URL at each run; what others made stays as it is.
 *
 * Then lets only owners, and users with a right of their own to CONNECT, into this database and into the one of
 * `adminUrl`: so the new users cannot reach the tables of the other. `adminUrl` is a superuser's, or of a user who may
 * make users and databases and owns its own. Safe to run several times at once.
 */
export async function createDatabase(
  adminUrl: string,
  { url, serviceUrl = url }: Migration,
  log: (line: string) => void = () => {}
): Promise<void> {
  const owner = connectionOf(url)
  const admin = new pg.Client(connectionOf(adminUrl))
  admin.on('error', (error) => log(reasonOf(error)))
  await admin.connect()
  try {
    await admin.query(`SET lock_timeout = ${LOCK_TIMEOUT}`)
    await admin.query(`SELECT pg_advisory_lock(${LOCK})`)
    await makeUser(admin, owner)
    await makeUser(admin, connectionOf(serviceUrl))
    await makeDatabase(admin, owner, log)
    await closeToOthers(admin, owner.database)
  } finally {
    await admin.end()
  }
}

async function makeUser(admin: pg.Client, { user = '', password }: Connection): Promise<void> {
  const { rows } = await admin.query<{ ours: boolean }>(
    `SELECT shobj_description(oid, 'pg_authid') IS NOT DISTINCT FROM $2 AS ours FROM pg_roles WHERE rolname = $1`,
    [user, MARK]
  )
  if (rows[0] && !rows[0].ours) return
  const name = pg.escapeIdentifier(user)
  const secret = password ? ` PASSWORD ${pg.escapeLiteral(scramSecret(password))}` : ''
  if (rows[0]) {
    await admin.query(`ALTER ROLE ${name} LOGIN${secret}`)
    return
  }
  // One text is one transaction: there is no user without the mark.
  await admin.query(
    `CREATE ROLE ${name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS${secret};
     COMMENT ON ROLE ${name} IS ${pg.escapeLiteral(MARK)}`
  )
}

async function makeDatabase(
  admin: pg.Client,
  { database = '', user = '' }: Connection,
  log: (line: string) => void
): Promise<void> {
  const { rowCount } = await admin.query('SELECT FROM pg_database WHERE datname = $1', [database])
  if (rowCount) return
  const [name, owner] = [pg.escapeIdentifier(database), pg.escapeIdentifier(user)]
  await admin.query(`CREATE DATABASE ${name} OWNER ${owner}`)
  log(`made the database ${database}, which belongs to ${user}`)
}

/** By default every user of a server may connect to each of its databases. */
async function closeToOthers(admin: pg.Client, made: string | undefined): Promise<void> {
  const { rows } = await admin.query<{ name: string }>(
    `SELECT quote_ident(datname) AS name FROM pg_database
      WHERE datname IN ($1, current_database()) AND has_database_privilege('public', oid, 'CONNECT')`,
    [made]
  )
  for (const { name } of rows) await admin.query(`REVOKE CONNECT ON DATABASE ${name} FROM PUBLIC`)
}
