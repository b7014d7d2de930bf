import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import type { Test } from 'tap'
import { startPostgres, stopPostgres } from '../../tools/embedded-postgres/server.mjs'
import { plainEnvironment } from './plain-environment.ts'

/** The folder of the tool under test. */
export const tool = fileURLToPath(new URL('../../tools/embedded-postgres', import.meta.url))

export const isRoot = process.getuid?.() === 0
export const onlyRoot = isRoot ? {} : { skip: 'only root runs it as somebody else' }

/** A folder of the test's own. */
export async function temporaryFolder(t: Test): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-pg-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A server that is gone when the test ends, in a folder of the test's own if none is given. */
export async function startIn(t: Test, given?: string) {
  const folder = given ?? (await temporaryFolder(t))
  const server = await startPostgres({ folder, durable: false })
  t.teardown(() => stopPostgres(server.folder))
  return { ...server, folder }
}

/** Runs one statement on a connection of its own; the rows as arrays. */
export async function query(url: string, text: string): Promise<unknown[][]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query({ text, rowMode: 'array' })).rows
  } finally {
    await client.end()
  }
}

/** The folder of the socket in a server's URL. */
export const socketFolderOf = (url: string) => decodeURIComponent(new URL(url).hostname)

/** Another process that starts the cluster and stays; resolves with what startPostgres gave it. */
export async function starter(t: Test, options: object, from = tool): Promise<[ChildProcess, Record<string, unknown>]> {
  const code = `
    import { startPostgres } from ${JSON.stringify(`${from}/server.mjs`)}
    process.on('message', async (options) => {
      process.send(await startPostgres(options).catch((error) => ({ error: error.message })))
    })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    env: plainEnvironment(),
    stdio: ['ignore', 'inherit', 'inherit', 'ipc']
  })
  t.teardown(() => child.kill('SIGKILL'))
  child.send(options)
  const [server] = (await once(child, 'message')) as [Record<string, unknown>]
  return [child, server]
}

/** The number of the server's process. */
export async function postmasterOf(folder: string): Promise<number> {
  return Number.parseInt(await readFile(path.join(folder, 'data/postmaster.pid'), 'utf8'), 10)
}

/** As if we, who started it, had been killed. */
export async function forgetStarter(folder: string): Promise<void> {
  await rm(path.join(folder, 'starter'))
}

export async function killAndWait(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL')
  for (;;) {
    // Whoever is its parent now may leave it a zombie for a while.
    const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z')
    if (/\) [ZX]/.test(state)) return
    await sleep(10)
  }
}
