import { stat } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readAs } from './account-files.mjs'
import { findServer } from './postmaster.mjs'
import { spawnAs } from './run-as.mjs'
import { chooseSocketFolder, PORT, removeSocketFolder } from './socket.mjs'

/** @typedef {import('./place.mjs').Place} Place */

/** How long a start may take, in milliseconds; and how often it is tried while children of a killed server end. */
const PATIENCE = 60_000
const ATTEMPTS = 20

/**
 * Starts the server of a cluster that has none, and returns when it can serve.
 *
 * @param {Place} place
 * @param {boolean} durable
 * @returns {Promise<string>} the folder of its socket
 */
export async function launch(place, durable) {
  const socketFolder = await chooseSocketFolder(place)
  for (let attempt = 1; ; attempt += 1) {
    const failure = await tryLaunch(place, socketFolder, durable)
    if (failure === undefined) return socketFolder
    // Children of a killed server need a moment to notice and end.
    if (attempt < ATTEMPTS && failure.includes('pre-existing shared memory')) await sleep(250)
    else {
      await removeSocketFolder(socketFolder, place)
      throw new Error(`PostgreSQL does not start: ${failure} [${path.join(place.folder, 'server.log')}]`)
    }
  }
}

/**
 * @param {Place} place
 * @param {string} socketFolder
 * @param {boolean} durable
 * @returns {Promise<string | undefined>} what the server said, if it did not start
 */
async function tryLaunch(place, socketFolder, durable) {
  const { folder, data, binaries, account } = place
  const log = path.join(folder, 'server.log')
  const settings = [
    ...['listen_addresses=', `unix_socket_directories="${socketFolder.replaceAll('"', '""')}"`],
    ...['timezone=UTC', 'log_timezone=UTC'],
    ...(durable ? [] : ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'])
  ]
  const words = ['-D', data, '-p', String(PORT), ...settings.flatMap((setting) => ['-c', setting])]
  // The account opens the log, because there may be a symbolic link in its place.
  const redirected = ['-c', 'umask 077; log=$1; shift; exec "$@" >>"$log" 2>&1', 'sh', log]
  const before = await stat(log).catch(() => undefined)
  // After a crash, another process may have the number in postmaster.pid, and PostgreSQL would take it for a running
  // server. But it ignores the number of its own grandparent, so we say that this is the number. It still refuses to
  // start while a child of the dead server uses their shared memory.
  const dead = await findServer(place)
  const child = spawnAs('/bin/sh', [...redirected, path.join(binaries, 'bin/postgres'), ...words], {
    ...{ account, cwd: folder, stdio: 'ignore' },
    env: dead && { PG_GRANDPARENT_PID: String(dead.pid) }
  })
  const failed = new Promise((/** @type {(what: string) => void} */ resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('exit', (code, killedBy) => resolve(`it ended with ${killedBy ?? code}`))
  })
  const failure = await Promise.race([failed, whenReady(place, child)])
  if (failure === undefined) return void child.unref()
  const said = await readAs(log, account, before?.size).catch(() => '')
  return said.trim() || failure
}

/**
 * @param {Place} place
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<string | undefined>} what failed; undefined: it can serve
 */
async function whenReady(place, child) {
  for (const end = Date.now() + PATIENCE; Date.now() < end && child.exitCode === null; await sleep(20)) {
    const server = await findServer(place)
    if (server?.pid === child.pid && server?.ready) return undefined
  }
  child.kill('SIGINT')
  return `it is not ready after ${PATIENCE / 1000} s`
}
