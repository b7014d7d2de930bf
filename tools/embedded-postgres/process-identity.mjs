import { readFile, stat } from 'node:fs/promises'
import { runAs } from './run-as.mjs'

/**
 * @typedef {object} Identity
 * @property {string} began when it began, and in which boot: no later process with the same number has the same
 * @property {number} user the number of the user it runs as
 * @property {string} command its command line, with a blank after each argument
 */

/**
 * Says which process has the number.
 *
 * @param {number} pid
 * @returns {Promise<Identity | undefined>} undefined: there is no such process, or only its zombie
 */
export function identify(pid) {
  return (process.platform === 'linux' ? fromProc(pid) : fromPs(pid)).catch(() => undefined)
}

/** @param {number} pid */
async function fromProc(pid) {
  const folder = `/proc/${pid}`
  const line = await readFile(`${folder}/stat`, 'utf8')
  // The second field is the name in brackets and may hold blanks and brackets itself.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')
  const command = (await readFile(`${folder}/cmdline`, 'utf8')).replaceAll('\0', ' ')
  return { began: `${boot.trim()} ${fields[19]}`, user: (await stat(folder)).uid, command }
}

/** @param {number} pid */
async function fromPs(pid) {
  const line = await runAs('ps', ['-ww', '-o', 'stat=,uid=,lstart=,command=', '-p', String(pid)])
  const [, state = 'Z', user, began = '', command] = /^\s*(\S+)\s+(\d+)\s+((?:\S+\s+){4}\S+)\s+(.*)/.exec(line) ?? []
  return state.startsWith('Z') ? undefined : { began, user: Number(user), command: `${command} ` }
}
