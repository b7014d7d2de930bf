import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Migration } from '@latchkey/database/migrate'
import { databaseUrl, runStatement } from '@latchkey/testing/database'
import type { Test } from 'tap'
import { migrate as migrateAuth } from '../../services/auth/src/schema.ts'
import { startPostgres } from '../../tools/embedded-postgres/server.mjs'
import { type DatabaseProxy, startProxy } from './proxy.ts'

/** A PostgreSQL of the test's own, as durable as in production, behind a proxy. */
export interface DatabaseServer {
  /** Through the proxy: the same URL for ever. */
  readonly url: string
  readonly proxy: DatabaseProxy
  /** Where it lies; its processes may write there. */
  readonly folder: string
  /** Runs one statement past the proxy. */
  run(statement: string): Promise<void>
  start(): Promise<void>
  /** Ends it in order; does nothing where it has ended by itself. */
  stop(): Promise<void>
  /** SIGKILL to the server, as `kill -9` of the postmaster; returns when all of its processes are gone. */
  kill(): Promise<void>
  /** SIGSTOP to all of its processes; connections stay open, and nobody answers. */
  freeze(): Promise<void>
  thaw(): Promise<void>
}

const NAME = 'latchkey'

/**
 * Starts a server with the current schema; it is gone when the test ends, whatever was done to it. `folder` is a new one
 * of the temporary folder, if it is not given. The schema is that of `migrate`, by default of the auth service.
 */
export async function startDatabase(
  t: Test,
  given?: string,
  migrate: (users: Migration) => Promise<void> = migrateAuth
): Promise<DatabaseServer> {
  const folder = given ?? (await mkdtemp(join(tmpdir(), 'latchkey-faults-')))
  const proxy = await startProxy(t)
  let server = await startPostgres({ folder })
  let frozen: number[] = []
  proxy.connectTo(server.url)
  await runStatement(server.url, `CREATE DATABASE ${NAME}`)
  const direct = () => databaseUrl(server.url, NAME)
  await migrate({ url: direct() })

  const thaw = async () => {
    for (const pid of frozen) signal(pid, 'SIGCONT')
    frozen = []
  }
  t.teardown(async () => {
    await thaw()
    await server.stop()
    for (const place of given ? [] : new Set([folder, server.folder])) await rm(place, { recursive: true, force: true })
  })

  return {
    url: proxy.urlOf(direct()),
    proxy,
    folder: server.folder,
    run: (statement) => runStatement(direct(), statement),
    start: async () => {
      server = await startPostgres({ folder })
      proxy.connectTo(server.url)
    },
    stop: () => server.stop(),
    kill: async () => {
      const pids = await processesOf(server.folder)
      signal(pids[0], 'SIGKILL')
      while (pids.some((pid) => signal(pid, 0))) await sleep(20)
      await server.stop()
    },
    freeze: async () => {
      // First the one that starts others, so that none begins after the list is made.
      const [postmaster = 0] = await processesOf(server.folder)
      signal(postmaster, 'SIGSTOP')
      frozen = await processesOf(server.folder)
      for (const pid of frozen) signal(pid, 'SIGSTOP')
    },
    thaw
  }
}

// The postmaster comes first, then its children.
async function processesOf(folder: string): Promise<number[]> {
  const pid = Number.parseInt(await readFile(join(folder, 'data', 'postmaster.pid'), 'utf8'), 10)
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,stat='])
  const processes = stdout.split('\n').map((line) => line.trim().split(/\s+/))
  const children = processes.filter(([, parent, state]) => Number(parent) === pid && !state?.startsWith('Z'))
  return [pid, ...children.map(([child]) => Number(child))]
}

function signal(pid: number | undefined, name: NodeJS.Signals | 0): boolean {
  try {
    return pid !== undefined && process.kill(pid, name)
  } catch {
    return false
  }
}
