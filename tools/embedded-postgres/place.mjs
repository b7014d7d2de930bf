import { mkdir, realpath } from 'node:fs/promises'
import path from 'node:path'
import { canEnter, chooseAccount } from './account.mjs'
import { copyBinaries, findBinaries, versionOf } from './binaries.mjs'
import { holdsCluster, takeFolder } from './data-folder.mjs'
import { isRoots, ownFolder, ownFolderIn, shortHash, systemFolders } from './own-folder.mjs'

/** @typedef {import('./run-as.mjs').Account} Account */
/**
 * @typedef {object} Place
 * @property {string} folder what holds the cluster, its password and its log
 * @property {string} data the cluster
 * @property {string} binaries
 * @property {Account | undefined} account who runs it; undefined: ourselves
 */

/**
 * Decides where the cluster is, which binaries run it, and as which user. Only root has a choice: it uses the wanted
 * folder if the account can reach it, or else a folder of its own outside the checkout.
 *
 * @param {string} wanted
 * @param {string[]} [bases] where root's own folder may be made
 * @returns {Promise<Place>}
 */
export async function choosePlace(wanted, bases = systemFolders) {
  const existing = await existingCluster(wanted, bases)
  const account = await chooseAccount(existing ?? wanted)
  const binaries = await findBinaries()
  if (!account) return place(await makeFolder(wanted), binaries)

  const reachable = await versionOf(binaries, account).then(
    () => binaries,
    async () => copyBinaries(binaries, await ownFolder(account, bases))
  )
  const folder = existing ?? wanted
  await mkdir(path.dirname(folder), { recursive: true })
  const real = await realpath(folder).catch(() => folder)
  if (await canEnter(path.dirname(real), account)) return place(await makeFolder(folder, account), reachable, account)
  if (existing) throw new Error(`The database in ${existing} is run by ${account.name}, who cannot enter that folder.`)
  const elsewhere = path.join(await ownFolder(account, bases), nameElsewhere(wanted))
  return place(await makeFolder(elsewhere, account), reachable, account)
}

/**
 * Finds an existing cluster. It stays where it is, even if the account can enter the checkout now.
 *
 * @param {string} wanted
 * @param {string[]} bases
 * @returns {Promise<string | undefined>}
 */
async function existingCluster(wanted, bases) {
  if (await holdsCluster(wanted)) return wanted
  for (const base of bases) {
    const elsewhere = path.join(ownFolderIn(base), nameElsewhere(wanted))
    if ((await isRoots(ownFolderIn(base))) && (await holdsCluster(elsewhere))) return elsewhere
  }
  return undefined
}

/** @param {string} wanted */
const nameElsewhere = (wanted) => `pg-${shortHash(path.resolve(wanted))}`

/**
 * @param {string} folder
 * @param {string} binaries
 * @param {Account} [account]
 * @returns {Promise<Place>}
 */
async function place(folder, binaries, account) {
  // The real path, because it is compared with the command line of the server.
  const real = await realpath(folder)
  return { folder: real, data: path.join(real, 'data'), binaries, account }
}

/**
 * @param {string} folder
 * @param {Account} [account] whose it becomes
 */
async function makeFolder(folder, account) {
  await mkdir(path.dirname(folder), { recursive: true })
  await takeFolder(folder, account)
  return folder
}
