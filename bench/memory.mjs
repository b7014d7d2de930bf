import { execFileSync } from 'node:child_process'

/** The resident memory of a process, in megabytes. @param {number | undefined} pid */
export function megabytes(pid) {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024
}
