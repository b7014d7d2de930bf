import { existsSync } from 'node:fs'
import { chown, lstat, mkdtemp, rmdir } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { canEnter } from './account.mjs'
import { removeAs } from './account-files.mjs'
import { isSafeBase } from './own-folder.mjs'

/** @typedef {import('./place.mjs').Place} Place */

/** Longest path of a socket, in bytes: what the system keeps of it, without the NUL at its end. */
const LONGEST = process.platform === 'darwin' ? 103 : 107

/** Part of the socket's name, and of nothing else: PostgreSQL does not listen on any network. */
export const PORT = 5432
const NAME = `.s.PGSQL.${PORT}`

const PREFIX = 'latchkey-socket-'

/** @param {string} folder */
const socketIn = (folder) => path.join(folder, NAME)

/** @param {string} folder */
const hasRoom = (folder) => Buffer.byteLength(socketIn(folder)) <= LONGEST

/**
 * Chooses the folder of the server's socket. Nobody but the database's user may enter it, so nobody else can connect, or
 * put a socket of their own in its place.
 *
 * That is the folder of the database itself, unless its path is too long. Then it is a new one in the system's temporary
 * folder: a name that nobody knew before, made with mode 0700, which the sticky bit keeps others from moving away. Whoever
 * looks for the server later reads its path in postmaster.pid, which lies in the database's folder.
 *
 * @param {Place} place whose server does not run
 * @returns {Promise<string>}
 */
export async function chooseSocketFolder({ folder, account }) {
  if (hasRoom(folder)) {
    // A killed server leaves it, and PostgreSQL believes a lock whose number another process has by now.
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
  // Where something else lies in it by now, it stays.
  await rmdir(folder).catch(() => {})
}

/**
 * Whether a socket of the database's user lies in the folder. What somebody else put at a path that was ours before is
 * seen through: it gets no connection, and so no password.
 *
 * @param {string} folder
 * @param {Place} place
 */
export async function holdsSocket(folder, place) {
  return (await isTheirs(folder, place)) && existsSync(socketIn(folder))
}

/**
 * Whether the folder is the database's user's alone.
 *
 * @param {string} folder
 * @param {Place} place
 */
async function isTheirs(folder, { account }) {
  const found = await lstat(folder).catch(() => undefined)
  const user = account?.uid ?? process.getuid?.()
  return found?.isDirectory() === true && found.uid === user && (found.mode & 0o077) === 0
}
