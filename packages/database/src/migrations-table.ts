import type { Client } from 'pg'

/** The table of the migrations that a database has. */
export const MIGRATIONS_TABLE = 'latchkey_migrations'

/** Its old name. Another application may have a table of this name. */
const OLD_TABLE = 'pgmigrations'

/**
 * Takes over the entries of an older version in `pgmigrations`: moves the table if all entries are `ours`, copies ours
 * if others are in it too, and leaves it alone if none is ours. The older version always used the schema public.
 *
 * `ours` are the names of the migrations, `schema` is the quoted schema of the tables. Only the running migration may
 * call it.
 */
export async function takeOverMigrations(client: Client, schema: string, ours: readonly string[]): Promise<void> {
  const table = `${schema}.${MIGRATIONS_TABLE}`
  if (await isThere(client, table)) return
  const places = (await isThere(client, `${schema}.users`)) ? [schema, 'public'] : [schema]
  for (const old of places.map((place) => `${place}.${OLD_TABLE}`)) {
    const names = (await isThere(client, old)) ? await namesIn(client, old) : []
    if (!names.some((name) => ours.includes(name))) continue
    await client.query('BEGIN')
    await client.query(
      `CREATE TABLE ${table} (id serial PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL)`
    )
    await client.query(
      `INSERT INTO ${table} (name, run_on) SELECT name, run_on FROM ${old} WHERE name = ANY ($1) ORDER BY run_on, id`,
      [ours]
    )
    if (names.every((name) => ours.includes(name))) await client.query(`DROP TABLE ${old}`)
    await client.query('COMMIT')
    return
  }
}

async function isThere(client: Client, table: string): Promise<boolean> {
  const { rows } = await client.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [table])
  return rows[0]?.there === true
}

// As JSON, because the table of another application may have other columns.
async function namesIn(client: Client, table: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(`SELECT to_jsonb(m) ->> 'name' AS name FROM ${table} m`)
  return rows.map(({ name }) => name)
}
