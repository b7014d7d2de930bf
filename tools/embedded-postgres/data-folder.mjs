import { chmod, lchown, lstat, mkdir, readdir, stat } from 'node:fs/promises'
import path from 'node:path'

/** @typedef {import('./run-as.mjs').Account} Account */

/** Everything that we put into the folder of a database, also what an interrupted start leaves there. */
const OURS =
  /^(data|password|server\.log|starter|(data|password|starter)(\.\d+)?\.(half|dead)|\.s\.PGSQL\.\d+(\.lock)?)$/

/**
 * Makes the folder of a database, for its user alone, or checks whether an existing folder may be used.
 *
 * It changes nothing in a folder that somebody else made. Otherwise root could give a folder of the system to the
 * database's user, and others could no longer enter it. A folder behind a symbolic link is used as it is, or not used.
 *
 * @param {string} folder
 * @param {Account} [account] who runs the database; default: ourselves
 * @throws with what to do where it may not be used
 */
export async function takeFolder(folder, account) {
  const made = await mkdir(folder, { mode: 0o700 }).then(
    () => true,
    (/** @type {NodeJS.ErrnoException} */ error) => {
      if (error.code === 'EEXIST') return false
      throw error
    }
  )
  const us = process.getuid?.()
  const user = account?.uid ?? us
  const linked = (await lstat(folder)).isSymbolicLink()
  const found = await stat(folder).catch(() => undefined)
  if (!found?.isDirectory()) refuse(folder, linked ? 'is a symbolic link to no folder' : 'is no folder')
  // We may change our own folder. If we are root, we give it to the account.
  const ownedByUs = found.uid === us && !linked
  if (found.uid !== user && !ownedByUs) {
    refuse(folder, `${linked ? 'leads to a folder that belongs' : 'belongs'} to another user (${found.uid})`)
  }
  if (!made) await refuseForeign(folder)
  if ((found.mode & 0o077) !== 0) {
    if (!ownedByUs) refuse(folder, 'others may enter it')
    await chmod(folder, 0o700)
  }
  if (account && found.uid !== user) await lchown(folder, account.uid, account.gid)
}

/** @param {string} folder */
async function refuseForeign(folder) {
  const names = await readdir(folder)
  const foreign = names.filter((name) => !OURS.test(name))
  // If there is a database, its owner may keep a dump beside it.
  if (foreign.length === 0 || (await holdsCluster(folder))) return
  const shown = foreign.slice(0, 3).join(', ') + (foreign.length > 3 ? ', …' : '')
  refuse(folder, `holds what is not of a database (${shown})`)
}

/**
 * Whether there is a cluster in the folder.
 *
 * @param {string} folder
 */
export function holdsCluster(folder) {
  return stat(path.join(folder, 'data/PG_VERSION')).then(
    () => true,
    () => false
  )
}

/**
 * @param {string} folder
 * @param {string} what is wrong with it
 * @returns {never}
 */
function refuse(folder, what) {
  throw new Error(
    `${folder} is meant for the database, but ${what}. Move it away, or set DATA_DIR to a folder that is yours alone.`
  )
}
