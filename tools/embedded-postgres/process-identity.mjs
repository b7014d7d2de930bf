import { readFile, stat } from 'node:fs/promises'
import { runAs } from './run-as.mjs'

/**
 * What tells a process from a later one with the same number: when it began, and in which boot. Undefined when there
 * is no such process, or only its zombie.
 *
 * @param {number} pid
 * @returns {Promise<string | undefined>}
 */
export async function identify(pid) {
  if (process.platform !== 'linux') {
    const line = await runAs('ps', ['-o', 'stat=,lstart=', '-p', String(pid)]).catch(() => '')
    const [, state = 'Z', began] = /^\s*(\S+)\s+(.+?)\s*$/.exec(line) ?? []
    return state.startsWith('Z') ? undefined : began
  }
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  // The second field is the name in brackets and may hold blanks and brackets itself.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (!fields || fields[0] === 'Z' || fields[0] === 'X') return undefined
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')
  return `${boot.trim()} ${fields[19]}`
}

/**
 * The user that a process runs as; undefined when there is none to see.
 *
 * @param {number} pid
 * @returns {Promise<number | undefined>} the number of the user
 */
export async function userOf(pid) {
  if (process.platform === 'linux')
    return stat(`/proc/${pid}`).then(
      ({ uid }) => uid,
      () => undefined
    )
  const said = await runAs('ps', ['-o', 'uid=', '-p', String(pid)]).catch(() => '')
  return said.trim() === '' ? undefined : Number(said)
}

/**
 * The command line of a process, arguments separated by blanks; empty when there is none to see.
 *
 * @param {number} pid
 * @returns {Promise<string>}
 */
export async function commandLine(pid) {
  if (process.platform !== 'linux') return runAs('ps', ['-ww', '-o', 'command=', '-p', String(pid)]).catch(() => '')
  const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return line.replaceAll('\0', ' ')
}
