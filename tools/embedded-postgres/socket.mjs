import { existsSync } from 'node:fs'
import { chown, lstat, mkdtemp, rmdir } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { canEnter } from './account.mjs'
import { removeAs } from './account-files.mjs'
import { isSafeBase } from './own-folder.mjs'

/** @typedef {import('./place.mjs').Place} Place */

/** Longest path of a socket, in bytes: the limit of the system, without the NUL at the end. */
const LONGEST = process.platform === 'darwin' ? 103 : 107

/** Only a part of the socket's name: PostgreSQL does not listen on any network. */
export const PORT = 5432
const NAME = `.s.PGSQL.${PORT}`

const PREFIX = 'latchkey-socket-'

/** @param {string} folder */
const socketIn = (folder) => path.join(folder, NAME)

/** @param {string} folder */
const hasRoom = (folder) => Buffer.byteLength(socketIn(folder)) <= LONGEST

/**
 * Chooses the folder of the server's socket. Only the database's user may enter it. So nobody else can connect, or put
 * another socket in its place.
 *
 * It is the folder of the database itself, unless its path is too long. Then it is a new folder in the temporary folder
 * of the system. Nobody can know its name before. It has mode 0700, and because of the sticky bit others cannot move
 * it. Its path can be read later in postmaster.pid, in the folder of the database.
 *
 * @param {Place} place whose server does not run
 * @returns {Promise<string>}
 */
export async function chooseSocketFolder({ folder, account }) {
  if (hasRoom(folder)) {
    // A killed server leaves this lock. PostgreSQL would respect it if another process has its number now.
    await removeAs([`${socketIn(folder)}.lock`], account)
    return folder
  }
  const bases = [os.tmpdir(), '/tmp', '/var/tmp']
  for (const base of bases) {
    if (!hasRoom(path.join(base, `${PREFIX}XXXXXX`)) || !(await isSafeBase(base)) || !(await canEnter(base, account)))
      continue
    const made = await mkdtemp(path.join(base, PREFIX))
    if (account) await chown(made, account.uid, account.gid)
    return made
  }
  throw new Error(
    `The path of ${folder} is too long for a socket (${LONGEST} bytes), and none of ${bases.join(', ')} can hold it: ` +
      'set DATA_DIR to a folder with a shorter path.'
  )
}

/**
 * Removes the folder of a socket whose server has ended, if it was a temporary one.
 *
 * @param {string} folder
 * @param {Place} place
 */
export async function removeSocketFolder(folder, place) {
  if (!path.basename(folder).startsWith(PREFIX) || !(await isTheirs(folder, place))) return
  await removeAs([socketIn(folder), `${socketIn(folder)}.lock`], place.account)
  // If there is something else in it now, it stays.
  await rmdir(folder).catch(() => {})
}

/**
 * Tells whether the folder has a socket of the database's user. A socket that somebody else put at our old path does
 * not count. So it gets no connection, and no password.
 *
 * @param {string} folder
 * @param {Place} place
 */
export async function holdsSocket(folder, place) {
  return (await isTheirs(folder, place)) && existsSync(socketIn(folder))
}

/**
 * Tells whether only the database's user can enter the folder.
 *
 * @param {string} folder
 * @param {Place} place
 */
async function isTheirs(folder, { account }) {
  const found = await lstat(folder).catch(() => undefined)
  const user = account?.uid ?? process.getuid?.()
  return found?.isDirectory() === true && found.uid === user && (found.mode & 0o077) === 0
}
