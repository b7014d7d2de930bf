import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chown, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { versionOf } from './binaries.mjs'
import { runAs } from './run-as.mjs'

/** @typedef {import('./place.mjs').Place} Place */

export const superuser = 'latchkey'

/**
 * Makes the cluster where there is none, and checks that an existing one fits the binaries.
 *
 * @param {Place} place
 * @param {{ durable: boolean }} options durable: wait until the files are on the disk
 * @returns {Promise<string>} the password of the superuser
 */
export async function prepareCluster(place, { durable }) {
  const { folder, data, account } = place
  const passwordFile = path.join(folder, 'password')
  if (existsSync(data)) {
    await checkVersion(place)
    return readFile(passwordFile, 'utf8').catch((error) => {
      throw new Error(`The database in ${data} has lost its password: ${error.message}. Restore it, or wipe ${folder}.`)
    })
  }
  await removeHalfMade(folder)
  const password = randomBytes(24).toString('base64url')
  await rm(passwordFile, { force: true })
  await writeFile(passwordFile, password, { mode: 0o600, flag: 'wx' })
  if (account) await chown(passwordFile, account.uid, account.gid)

  // Made under another name: a folder called data is always a whole cluster.
  const half = path.join(folder, `data.${process.pid}.half`)
  await runAs(
    path.join(place.binaries, 'bin/initdb'),
    [
      ['-D', half, '-U', superuser, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'],
      ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
      ['--no-instructions', ...(durable ? [] : ['--no-sync'])]
    ].flat(),
    { account, cwd: folder }
  )
  await rename(half, data)
  return password
}

/**
 * What a start left that was cut off half-way.
 *
 * @param {string} folder
 */
async function removeHalfMade(folder) {
  const left = (await readdir(folder)).filter((name) => name.endsWith('.half'))
  await Promise.all(left.map((name) => rm(path.join(folder, name), { recursive: true, force: true })))
}

/** @param {Place} place */
async function checkVersion({ folder, data, binaries }) {
  const found = (await readFile(path.join(data, 'PG_VERSION'), 'utf8').catch(() => 'an unknown version')).trim()
  const ours = await versionOf(binaries)
  if (found === ours) return
  throw new Error(
    `The database in ${data} was made by PostgreSQL ${found}, the bundled one is ${ours} and cannot read it. ` +
      `Move its content with the older release (pg_dump, pg_restore), or wipe it: rm -rf ${folder}`
  )
}
