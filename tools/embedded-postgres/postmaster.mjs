import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { identify } from './process-identity.mjs'

/** @typedef {import('./place.mjs').Place} Place */
/**
 * @typedef {object} Found what postmaster.pid says of a server
 * @property {number} pid
 * @property {string} socketFolder where it listens; empty: on no Unix socket, as an earlier version started it
 * @property {boolean} ready whether it can serve
 * @property {boolean} runs false: it was killed, and its number is free, a zombie's or somebody else's by now
 */

/** How long a server may take to start or stop, in milliseconds. */
const PATIENCE = 60_000

/**
 * Reads which server runs on the cluster, or ran until it was killed. The process has to belong to the cluster's user,
 * and to have the command line of a server. `pg_ctl status` would accept any process with the number.
 *
 * @param {Place} place
 * @returns {Promise<Found | undefined>} undefined: none, or it ended in order
 */
export async function findServer({ data, account }) {
  const text = await readFile(path.join(data, 'postmaster.pid'), 'utf8').catch(() => '')
  const [number = '', , , , socketFolder = '', , , status] = text.split('\n').map((line) => line.trim())
  const pid = Number(number)
  if (!(pid > 0)) return undefined
  const found = await identify(pid)
  const runs = found?.user === (account?.uid ?? process.getuid?.()) && found?.command.includes(`/postgres -D ${data} `)
  return { pid, socketFolder, ready: status === 'ready', runs: runs === true }
}

/**
 * Returns the server that runs on the cluster. Waits while it starts or stops.
 *
 * @param {Place} place
 * @returns {Promise<Found | undefined>} undefined: none runs
 */
export async function readyServer(place) {
  for (const end = Date.now() + PATIENCE; ; await sleep(50)) {
    const server = await findServer(place)
    if (!server?.runs) return undefined
    if (server.ready) return server
    if (Date.now() > end)
      throw new Error(`PostgreSQL (process ${server.pid}) on ${place.data} neither serves nor ends.`)
  }
}
