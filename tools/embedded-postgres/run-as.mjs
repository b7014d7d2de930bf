import { spawn } from 'node:child_process'

/** @typedef {{ name: string, uid: number, gid: number }} Account another user of this system */

/**
 * Runs a command to its end and resolves with what it printed; rejects when it cannot be started or fails.
 * It gets a process group of its own, so that a terminal's Ctrl-C does not cut it off half-way, and next to
 * nothing of our environment, so that PGPORT, LANG and their like change nothing.
 *
 * @param {string} file
 * @param {string[]} args
 * @param {{ account?: Account | undefined, cwd?: string, input?: string }} [options] account: run as this user (only
 *   root can); input: what it reads from standard input
 * @returns {Promise<string>}
 */
export function runAs(file, args, { account, cwd = '/', input } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      ...(account && { uid: account.uid, gid: account.gid }),
      cwd,
      env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe']
    })
    // A command that has ended without reading says by its exit code why.
    child.stdin.on('error', () => {}).end(input)
    let out = ''
    let err = ''
    child.stdout.setEncoding('utf8').on('data', (text) => {
      out += text
    })
    child.stderr.setEncoding('utf8').on('data', (text) => {
      err += text
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) resolve(out)
      else reject(new Error(`${file} ended with ${signal ?? code}: ${(err || out).trim()}`))
    })
  })
}
