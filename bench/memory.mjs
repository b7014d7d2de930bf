import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** The resident memory of a process, in megabytes. @param {number | undefined} pid */
export function megabytes(pid) {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024
}

/**
 * The proportional set size of a process, in megabytes: what it shares with others counts in part (proc_pid_smaps(5)).
 *
 * @param {number | undefined} pid
 */
export function proportionalMegabytes(pid) {
  const [, kilobytes] = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? []
  return Number(kilobytes) / 1024
}

/** Fields of /proc/PID/stat after the name, and their unit on Linux. */
const [USER_TIME, SYSTEM_TIME] = [11, 12]
const TICKS = 100

/** CPU that a process has used, in seconds. @param {number | undefined} pid */
export function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[USER_TIME]) + Number(fields[SYSTEM_TIME])) / TICKS
}
