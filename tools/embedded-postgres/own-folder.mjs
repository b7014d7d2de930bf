import { createHash } from 'node:crypto'
import { chmod, lstat, mkdir, stat } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { canEnter } from './account.mjs'

/** @typedef {import('./run-as.mjs').Account} Account */

const checkout = fileURLToPath(new URL('../..', import.meta.url))

/** @param {string} text */
export const shortHash = (text) => createHash('sha256').update(text).digest('hex').slice(0, 12)

/** The places of the system where a program keeps its data, best first. */
export const systemFolders = ['/var/lib', os.tmpdir(), '/tmp']

/** @param {string} base */
export const ownFolderIn = (base) => path.join(base, `latchkey-${shortHash(checkout)}`)

/**
 * Makes root's folder outside the checkout, for an account that cannot enter the checkout. Its name is derived from the
 * path of the checkout: the same at every start, another one for another checkout. Root stays its owner, so that the
 * account cannot replace the binaries in it.
 *
 * @param {Account} account who has to be able to enter it
 * @param {string[]} bases folders to make it in, best first
 * @returns {Promise<string>}
 */
export async function ownFolder(account, bases) {
  for (const base of bases) {
    if (!(await isSafeBase(base)) || !(await canEnter(base, account))) continue
    const folder = ownFolderIn(base)
    const failure = await mkdir(folder).then(
      () => undefined,
      (/** @type {NodeJS.ErrnoException} */ error) => error.code
    )
    if (failure !== undefined && failure !== 'EEXIST') continue
    if (!(await isRoots(folder)))
      throw new Error(`${folder} was made by somebody else: remove it, or set DATABASE_URL.`)
    await chmod(folder, 0o755)
    return folder
  }
  throw new Error(
    `PostgreSQL would run as ${account.name}, who cannot enter this checkout, and none of ${bases.join(', ')} ` +
      'can hold a folder for it: start as an ordinary user, or set DATABASE_URL.'
  )
}

/**
 * Tells whether a folder that we make in `base` stays in its place. If everybody may write in `base`, and it has no
 * sticky bit, anybody could put something else there.
 *
 * @param {string} base
 */
export async function isSafeBase(base) {
  const found = await stat(base).catch(() => undefined)
  return found?.isDirectory() === true && ((found.mode & 0o002) === 0 || (found.mode & 0o1000) !== 0)
}

/**
 * Tells whether the folder exists and only root can change it. An attacker may have made it first, with programs that
 * root would run.
 *
 * @param {string} folder
 */
export async function isRoots(folder) {
  const found = await lstat(folder).catch(() => undefined)
  return found?.isDirectory() === true && found.uid === 0 && (found.mode & 0o022) === 0
}
