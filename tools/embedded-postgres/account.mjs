import { stat } from 'node:fs/promises'
import path from 'node:path'
import { runAs } from './run-as.mjs'

/** @typedef {import('./run-as.mjs').Account} Account */

/**
 * Finds the user that the database runs as; undefined means ourselves. PostgreSQL refuses to run as root. So root takes
 * the owner of the cluster or its folder, if there is one, or else the first of the usual unprivileged users.
 *
 * @param {string} folder where the cluster lies or shall lie
 * @returns {Promise<Account | undefined>}
 */
export async function chooseAccount(folder) {
  if (process.getuid?.() !== 0) return undefined
  for (const owned of [path.join(folder, 'data'), folder]) {
    const owner = await stat(owned).catch(() => undefined)
    if (owner && owner.uid !== 0) return { name: `user ${owner.uid}`, uid: owner.uid, gid: owner.gid }
  }
  for (const name of ['postgres', 'nobody']) {
    try {
      return { name, uid: Number(await runAs('id', ['-u', name])), gid: Number(await runAs('id', ['-g', name])) }
    } catch {
      // no such user: the next one
    }
  }
  throw new Error(
    'PostgreSQL does not run as root, and this system has no user postgres or nobody to run it instead: ' +
      'start as an ordinary user, or set DATABASE_URL.'
  )
}

/**
 * Whether the account can enter the folder, all parents included.
 *
 * @param {string} folder
 * @param {Account | undefined} account
 */
export function canEnter(folder, account) {
  return runAs('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { account }).then(
    () => true,
    () => false
  )
}
