import { createHmac, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile, rename } from 'node:fs/promises'
import path from 'node:path'
import { readAs, removeAs, writeAs } from './account-files.mjs'
import { versionOf } from './binaries.mjs'
import { runAs } from './run-as.mjs'

/** @typedef {import('./place.mjs').Place} Place */

const superuser = 'latchkey'
/** The user that the auth service connects as: `migrate` makes it, and it only reads and writes rows. */
const serviceUser = 'latchkey_service'
/** The database of the chat, its owner, and the user that the chat connects as: the chat's `migrate` makes them. */
const chat = { database: 'chat', owner: 'latchkey_chat_owner', serviceUser: 'latchkey_chat' }

/**
 * Makes the cluster where there is none, and checks that an existing one fits the binaries.
 *
 * The server asks for passwords although nobody else can reach the socket. Clusters of earlier versions do so too, and
 * the password is what separates the service's user from the superuser.
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
    return readPassword(place).catch((error) => {
      throw new Error(`The database in ${data} has lost its password: ${error.message}. Restore it, or wipe ${folder}.`)
    })
  }
  await removeHalfMade(place)
  const password = randomBytes(24).toString('base64url')
  await writeAs(passwordFile, password, account)

  // First made under another name, so that a folder called data is always a complete cluster.
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
 * The URLs of a server, for its superuser and for the services. All other passwords are derived from the superuser's, so
 * they need not be stored. The superuser's cannot be derived from them.
 *
 * @param {string} password of the superuser
 * @param {string} socketFolder
 * @returns {import('./server.mjs').Urls}
 */
export function urlsOf(password, socketFolder) {
  const url = (/** @type {string} */ user, database = 'postgres') => {
    const secret = user === superuser ? password : createHmac('sha256', password).update(user).digest('base64url')
    return `postgres://${user}:${secret}@${encodeURIComponent(socketFolder)}/${database}`
  }
  return {
    url: url(superuser),
    serviceUrl: url(serviceUser),
    chat: { url: url(chat.owner, chat.database), serviceUrl: url(chat.serviceUser, chat.database) }
  }
}

/** The password of the superuser. @param {Place} place */
export function readPassword({ folder, account }) {
  return readAs(path.join(folder, 'password'), account)
}

/**
 * Removes what an interrupted start left.
 *
 * @param {Place} place
 */
async function removeHalfMade({ folder, account }) {
  const left = (await readdir(folder)).filter((name) => name.endsWith('.half') || name === 'password')
  const files = left.map((name) => path.join(folder, name))
  await removeAs(files, account)
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
