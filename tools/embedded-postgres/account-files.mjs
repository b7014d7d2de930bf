// Files in a folder that belongs to the account. Root reads and changes them only as the account. Otherwise a symbolic
// link in the folder could lead root to any file of the system.
import { runAs } from './run-as.mjs'

/** @typedef {import('./run-as.mjs').Account | undefined} Account */

/**
 * Reads a file, from its byte `from` on.
 *
 * @param {string} file
 * @param {Account} account
 * @param {number} [from] default 0
 */
export function readAs(file, account, from = 0) {
  return runAs('tail', ['-c', `+${from + 1}`, file], { account })
}

/**
 * Makes or replaces a file that nobody else may read. If it is interrupted, the old file stays.
 *
 * @param {string} file
 * @param {string} text
 * @param {Account} account
 */
export async function writeAs(file, text, account) {
  await runAs('/bin/sh', ['-c', 'umask 077 && cat >"$1.half" && mv -f "$1.half" "$1"', 'sh', file], {
    account,
    input: text
  })
}

/**
 * Removes files and folders. Missing ones cause no error.
 *
 * @param {string[]} files
 * @param {Account} account
 */
export async function removeAs(files, account) {
  if (files.length > 0) await runAs('rm', ['-rf', '--', ...files], { account })
}
