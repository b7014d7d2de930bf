import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { writeAs } from './account-files.mjs'
import { commandLine, identify, userOf } from './process-identity.mjs'
import { holdsSocket, removeSocketFolder, speaksPostgres } from './socket.mjs'

/** @typedef {import('./place.mjs').Place} Place */

const patience = 60_000

/**
 * The server that runs on the cluster, or undefined when none does. Waits while one starts up, recovers or shuts down, and
 * sees through a postmaster.pid whose process is a zombie or by now somebody else.
 *
 * @param {Place} place
 * @returns {Promise<{ socketFolder: string | undefined } | undefined>} `socketFolder`: where it listens; undefined: where
 *   we do not find it, on TCP alone, as an earlier version started it, or its folder was cleaned away
 */
export async function findServer(place) {
  const end = Date.now() + patience
  for (;;) {
    const note = await readNote(place)
    if (!note) return undefined
    if (!(await isServer(note.pid, place))) {
      await disown(note, place)
      return undefined
    }
    if (note.status === 'ready') {
      if (!(await holdsSocket(note.socketFolder, place))) return { socketFolder: undefined }
      if (await speaksPostgres(note.socketFolder)) return { socketFolder: note.socketFolder }
    }
    if (Date.now() > end) throw new Error(`PostgreSQL (process ${note.pid}) on ${place.data} neither answers nor ends.`)
    await sleep(50)
  }
}

/** @typedef {{ text: string, pid: number, socketFolder: string, status: string }} Note what postmaster.pid says */

/** @param {Place} place */
const fileIn = ({ data }) => path.join(data, 'postmaster.pid')

/**
 * @param {Place} place
 * @returns {Promise<Note | undefined>}
 */
async function readNote(place) {
  const text = await readFile(fileIn(place), 'utf8').catch(() => '')
  const [pid = '', , , , socketFolder = '', , , status = ''] = text.split('\n').map((line) => line.trim())
  return Number(pid) > 0 ? { text, pid: Number(pid), socketFolder, status } : undefined
}

/**
 * Whether the process is the cluster's server.
 *
 * @param {number} pid
 * @param {Place} place
 */
async function isServer(pid, { data, account }) {
  if ((await identify(pid)) === undefined || (await userOf(pid)) !== (account?.uid ?? process.getuid?.())) return false
  return `${await commandLine(pid)} `.includes(`/postgres -D ${data} `)
}

/**
 * Puts a number that no process can have in the place of the dead server's, which a zombie or another process has.
 * The file itself has to stay: with it PostgreSQL finds out whether a child of the dead server still uses the memory
 * they shared, and then refuses to start.
 *
 * @param {Note} note
 * @param {Place} place
 */
async function disown({ text, socketFolder }, place) {
  await writeAs(fileIn(place), text.replace(/^\d+/, '2147483647'), place.account)
  await removeSocketFolder(socketFolder, place)
}
