// Tap runs this once, before all test files: one PostgreSQL, and in it one database with the real schema of each service to copy.
import { randomBytes } from 'node:crypto'
import { mkdtemp } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { announceCluster, type Cluster, deadRuns, forgetCluster } from '@latchkey/testing/cluster'
import { databaseUrl, runStatement, serviceUrl } from '@latchkey/testing/database'
import { migrate } from '../services/auth/src/schema.ts'
import { migrate as migrateChat } from '../services/chat/src/schema.ts'
import { startPostgres } from '../tools/embedded-postgres/server.mjs'
import { removeCluster } from './remove-cluster.ts'

const template = `latchkey_template_${process.ppid}`
const chatTemplate = `latchkey_chat_template_${process.ppid}`
const service = { user: `latchkey_service_${process.ppid}`, password: randomBytes(16).toString('hex') }

async function startCluster(): Promise<Cluster> {
  const given = process.env.TEST_DATABASE_URL
  if (given) return { url: given, template, chatTemplate, service }
  const folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-test-'))
  const server = await startPostgres({ folder, durable: false })
  return { url: server.url, template, chatTemplate, service, folder: server.folder }
}

for (const tap of await deadRuns()) {
  // What cannot be removed, because it was another user's or its server is gone, must not keep the tests from running.
  await removeCluster(tap).catch(() => forgetCluster(tap).catch(() => {}))
}
const cluster = await startCluster()
await announceCluster(cluster)
for (const [name, bringUpToDate] of [
  [template, migrate],
  [chatTemplate, migrateChat]
] as const) {
  await runStatement(cluster.url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
  await runStatement(cluster.url, `CREATE DATABASE ${name}`)
  const url = databaseUrl(cluster.url, name)
  await bringUpToDate({ url, serviceUrl: await serviceUrl(url) })
}
