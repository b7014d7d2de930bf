import { spawn } from 'node:child_process'

/** @typedef {{ name: string, uid: number, gid: number }} Account another user of this system */

/**
 * Starts a command as the account, or as ourselves. It gets its own process group, so that a Ctrl-C in the terminal
 * does not reach it. It gets almost nothing of our environment, so that PGPORT, LANG and others change nothing.
 *
 * @param {string} file
 * @param {string[]} args
 * @param {object} options
 * @param {Account | undefined} [options.account] only root can choose one
 * @param {string} [options.cwd] default `/`
 * @param {'pipe' | 'ignore'} [options.stdio] default `pipe`
 * @param {Record<string, string> | undefined} [options.env] variables that it gets besides
 */
export function spawnAs(file, args, { account, cwd = '/', stdio = 'pipe', env }) {
  return spawn(file, args, {
    ...(account && { uid: account.uid, gid: account.gid }),
    cwd,
    env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC', ...env },
    detached: true,
    stdio
  })
}

/**
 * Runs a command to its end. Resolves with what it printed; rejects if it cannot be started or fails.
 *
 * @param {string} file
 * @param {string[]} args
 * @param {{ account?: Account | undefined, cwd?: string, input?: string }} [options] as spawnAs has them; input: what it
 *   reads from standard input
 * @returns {Promise<string>}
 */
export function runAs(file, args, { input, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawnAs(file, args, options)
    // If a command ends without reading its input, its exit code says why.
    child.stdin?.on('error', () => {}).end(input)
    const said = { out: '', err: '' }
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      said.out += text
    })
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      said.err += text
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) resolve(said.out)
      else reject(new Error(`${file} ended with ${signal ?? code}: ${(said.err || said.out).trim()}`))
    })
  })
}
