import pg from 'pg'
import { MIGRATIONS_TABLE } from './migrations-table.ts'
import { scramSecret } from './scram-secret.ts'
import { connectionOf } from './url.ts'

/** The names in the migrated database, quoted for SQL; `id` is for people. */
interface Names {
  readonly owner: string
  readonly role: string
  readonly database: string
  readonly schema: string
}

/** What the service may do with the tables and functions of its schema. */
interface Grants {
  readonly rights: Readonly<Record<string, string>>
  readonly functions: Readonly<Record<string, string>>
}

// Two runs of GRANT or CREATE ROLE on one server at once can fail like this: the second finds a row that was just
// changed.
const RACED = /^(23505|42710|40001|40P01|XX000)$/
const MOST_ROUNDS = 5

/**
 * Gives the user of `serviceUrl` the rights to rows that the service needs, and removes other rights to its tables.
 * Makes the user, if it is missing, with the password of the URL. A user that was made here gets the URL's password at
 * each run. Does nothing if this user is the one who migrates.
 *
 * `rights` are the rights for each table, `functions` those for each function. `client` is the connection of the owner after the migration. `log` also gets
 * the powers that the service's user should not have, and how to remove them. Throws with the SQL to run if the owner
 * lacks a right.
 */
export async function prepareServiceRole(
  client: pg.Client,
  { serviceUrl, rights, functions }: Grants & { readonly serviceUrl: string },
  log: (line: string) => void = () => {}
): Promise<void> {
  const { user, password } = connectionOf(serviceUrl)
  if (!user) throw new Error('DATABASE_URL names no user')
  const [place] = await rows<Names & { user: string }>(
    client,
    `SELECT session_user AS user, quote_ident(current_user) AS owner, quote_ident($1) AS role,
            quote_ident(current_database()) AS database, quote_ident(current_schema()) AS schema`,
    [user]
  )
  if (!place || place.user === user) return
  for (let round = 1; ; round += 1) {
    try {
      await client.query('BEGIN')
      await makeRole(client, place, user, password)
      await grantRights(client, place, { user, rights, functions })
      await client.query('COMMIT')
      break
    } catch (error) {
      await client.query('ROLLBACK')
      if (round === MOST_ROUNDS || !RACED.test(String((error as { code?: string }).code))) throw error
    }
  }
  for (const line of await excessOf(client, place, user)) log(line)
}

// Marks a role that was made here, so that only its password is changed. It names the database, because another
// database of the server may have a Latchkey with another password.
const markOf = (database: string) =>
  `Made by Latchkey's migrate, which sets its password to that of DATABASE_URL: reads and writes rows of ${database}.`

async function makeRole(client: pg.Client, names: Names, user: string, password: string | undefined): Promise<void> {
  const { role, database, owner, schema } = names
  const mark = markOf(database)
  // From PostgreSQL 16 on, only the maker of a role may change it, even among those who may make roles.
  const [found] = await rows<{ exists: boolean; ours: boolean; mayMake: boolean; mayChange: boolean }>(
    client,
    `SELECT r.oid IS NOT NULL AS exists, shobj_description(r.oid, 'pg_authid') IS NOT DISTINCT FROM $2 AS ours,
            me.rolsuper OR me.rolcreaterole AS "mayMake",
            me.rolsuper OR (me.rolcreaterole AND (current_setting('server_version_num')::int < 160000
              OR pg_has_role(r.oid, 'MEMBER WITH ADMIN OPTION'))) AS "mayChange"
       FROM pg_roles me LEFT JOIN pg_roles r ON r.rolname = $1 WHERE me.rolname = current_user`,
    [user, mark]
  )
  if (!found?.exists && !found?.mayMake) {
    throw new Error(
      `the user of DATABASE_URL, ${role}, does not exist, and ${owner} may not make it. Have an administrator of the server run these two lines, then migrate again:\n` +
        `  CREATE ROLE ${role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD '<the one in DATABASE_URL>';\n` +
        `  GRANT CONNECT ON DATABASE ${database} TO ${role};`
    )
  }
  if (found.exists && !(found.ours && found.mayChange)) return
  const secret = password ? ` PASSWORD ${pg.escapeLiteral(scramSecret(password))}` : ''
  if (found.exists) await client.query(`ALTER ROLE ${role} LOGIN${secret}`)
  else {
    await client.query(
      `CREATE ROLE ${role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS${secret}`
    )
    await client.query(`COMMENT ON ROLE ${role} IS ${pg.escapeLiteral(mark)}`)
  }
  // By default the search path does not lead to the tables.
  if (schema !== 'public') await client.query(`ALTER ROLE ${role} IN DATABASE ${database} SET search_path = ${schema}`)
}

async function grantRights(
  client: pg.Client,
  { role, owner, database, schema }: Names,
  { user, rights, functions }: Grants & { readonly user: string }
): Promise<void> {
  const [may] = await rows<{ database: boolean; schema: boolean }>(
    client,
    `SELECT pg_has_role(d.datdba, 'USAGE') AS database, pg_has_role(n.nspowner, 'USAGE') AS schema
       FROM pg_database d, pg_namespace n WHERE d.datname = current_database() AND n.nspname = current_schema()`
  )
  if (may?.database) await client.query(`GRANT CONNECT ON DATABASE ${database} TO ${role}`)
  if (may?.schema) {
    await client.query(`REVOKE ALL ON SCHEMA ${schema} FROM ${role}; GRANT USAGE ON SCHEMA ${schema} TO ${role}`)
    // Up to PostgreSQL 14, every user can make tables and functions in public, which the owner may then run.
    if ((await excess(client, user)).creates) await client.query(`REVOKE CREATE ON SCHEMA ${schema} FROM PUBLIC`)
  }
  // The service reads the table of migrations only for readiness.
  const tables = { ...rights, [MIGRATIONS_TABLE]: 'SELECT' }
  for (const [table, needed] of Object.entries(tables)) {
    const name = `${schema}.${table}`
    const [owned] = await rows<{ by: string }>(
      client,
      'SELECT tableowner AS by FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1',
      [table]
    )
    if (owned?.by === user) await client.query(`ALTER TABLE ${name} OWNER TO ${owner}`)
    await client.query(`REVOKE ALL ON TABLE ${name} FROM ${role}; GRANT ${needed} ON TABLE ${name} TO ${role}`)
  }
  for (const [signature, right] of Object.entries(functions)) {
    const name = `${schema}.${signature}`
    const [owned] = await rows<{ by: string }>(
      client,
      'SELECT pg_get_userbyid(proowner) AS by FROM pg_proc WHERE oid = $1::regprocedure',
      [name]
    )
    // A function that runs with the rights of its owner must not be the service's.
    if (owned?.by === user) await client.query(`ALTER FUNCTION ${name} OWNER TO ${owner}`)
    if (right) await client.query(`GRANT ${right} ON FUNCTION ${name} TO ${role}`)
  }
}

interface Excess {
  readonly connects: boolean
  readonly looks: boolean
  readonly creates: boolean
  readonly superuser: boolean
  readonly roles: boolean
  readonly owns: boolean
  readonly member: boolean
}

async function excess(client: pg.Client, user: string): Promise<Excess> {
  const [found] = await rows<Excess>(
    client,
    `SELECT has_database_privilege(r.oid, current_database(), 'CONNECT') AS connects,
            has_schema_privilege(r.oid, current_schema(), 'USAGE') AS looks,
            has_schema_privilege(r.oid, current_schema(), 'CREATE') AS creates,
            r.rolsuper AS superuser, r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls AS roles,
            d.datdba = r.oid AS owns, pg_has_role(r.oid, me.oid, 'MEMBER') AS member
       FROM pg_roles r, pg_roles me, pg_database d
      WHERE r.rolname = $1 AND me.rolname = current_user AND d.datname = current_database()`,
    [user]
  )
  return found as Excess
}

// What the owner of the tables can neither grant nor revoke; each line says what to run.
async function excessOf(client: pg.Client, { role, owner, database, schema }: Names, user: string): Promise<string[]> {
  const { connects, looks, creates, superuser, roles, owns, member } = await excess(client, user)
  const lines: [boolean, string, string][] = [
    [!connects, 'may not connect', `GRANT CONNECT ON DATABASE ${database} TO ${role}`],
    [!looks, 'finds no table', `GRANT USAGE ON SCHEMA ${schema} TO ${role}`],
    [superuser, 'is a superuser', `ALTER ROLE ${role} NOSUPERUSER`],
    [
      roles && !superuser,
      'may make roles or databases, replicate, or pass row security',
      `ALTER ROLE ${role} NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS`
    ],
    [owns, 'owns the database', `ALTER DATABASE ${database} OWNER TO ${owner}`],
    [member && !superuser, 'is a member of the owner of the tables', `REVOKE ${owner} FROM ${role}`],
    [creates && !superuser && !owns, 'may make tables', `REVOKE CREATE ON SCHEMA ${schema} FROM ${role}, PUBLIC`]
  ]
  return lines
    .filter(([is]) => is)
    .map(([, what, sql]) => `the user of DATABASE_URL, ${role}, ${what}; whoever administers the server runs: ${sql};`)
}

async function rows<R extends object>(client: pg.Client, sql: string, values?: unknown[]): Promise<R[]> {
  return (await client.query<R>(sql, values)).rows
}
