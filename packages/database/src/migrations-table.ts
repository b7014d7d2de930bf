import type { Client } from 'pg'

/** The table that says which migrations a database has. */
export const MIGRATIONS_TABLE = 'latchkey_migrations'

/** What it was called before. Another application may have one of this name. */
const OLD_TABLE = 'pgmigrations'

/**
 * Takes over what an older version noted in `pgmigrations`: moves it where all of it is `ours`, copies ours where others'
 * are in it too, and leaves it alone where none is. The older version had it in the schema public, also where its tables
 * were in another.
 *
 * `ours` are the names of the migrations, `schema` the one of the tables, quoted. For the one migrator that is at work.
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

// As JSON, because another application's table may have other columns.
async function namesIn(client: Client, table: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(`SELECT to_jsonb(m) ->> 'name' AS name FROM ${table} m`)
  return rows.map(({ name }) => name)
}
