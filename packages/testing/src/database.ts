import { randomUUID } from 'node:crypto'
import type { NetConnectOpts } from 'node:net'
import pg from 'pg'
import type { Test } from 'tap'
import { currentCluster } from './cluster.ts'

/** Makes a database with the real schema for one test; it is dropped at its end, also if connections are open. */
export async function createDatabase(t: Test): Promise<string> {
  const { template } = await currentCluster()
  return createEmptyDatabase(t, `TEMPLATE ${template}`)
}

/** As {@link createDatabase}, with the schema of the chat. */
export async function createChatDatabase(t: Test): Promise<string> {
  const { chatTemplate } = await currentCluster()
  return createEmptyDatabase(t, `TEMPLATE ${chatTemplate}`)
}

/** As {@link createDatabase}, without the schema; `options` are those of CREATE DATABASE. */
export async function createEmptyDatabase(t: Test, options = 'TEMPLATE template0'): Promise<string> {
  const { url } = await currentCluster()
  const name = `t_${randomUUID().replaceAll('-', '')}`
  await runStatement(url, `CREATE DATABASE ${name} ${options}`)
  t.teardown(() => runStatement(url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))
  return databaseUrl(url, name)
}

/** The same database for the user that the services connect as, which only reads and writes rows. */
export async function serviceUrl(owners: string): Promise<string> {
  const { service } = await currentCluster()
  return Object.assign(new URL(owners), { username: service.user, password: service.password }).href
}

/** Runs one statement as the owner of the tables, in the database of a service's URL. */
export async function runAsOwner(services: string, statement: string): Promise<void> {
  const { url } = await currentCluster()
  await runStatement(databaseUrl(url, new URL(services).pathname.slice(1)), statement)
}

/** Where the server of a URL listens, for a connection that is none of PostgreSQL's driver. */
export function addressOf(url: string): NetConnectOpts {
  const { host, port } = new pg.Client(url)
  return host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port }
}

/** Another database on the same server. */
export function databaseUrl(server: string, name: string): string {
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}

/** Runs one statement on a connection of its own. */
export async function runStatement(url: string, statement: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
