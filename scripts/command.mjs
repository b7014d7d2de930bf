import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The repository's folder, with a slash at its end. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/** A command has failed; the message says which one and how. */
export class CommandError extends Error {
  /** @override */
  name = 'CommandError'

  /**
   * @param {string} command
   * @param {number | string} end its exit code, or the signal that ended it
   * @param {string} [said]
   */
  constructor(command, end, said = '') {
    super(`${command} failed (${end})${said && `:\n${said.trimEnd()}`}`)
    this.exitCode = typeof end === 'number' ? end : 1
  }
}

/**
 * Runs a command in the repository's folder to its end. Rejects with a CommandError if it fails.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {object} [options]
 * @param {NodeJS.ProcessEnv} [options.env] default: ours
 * @param {boolean} [options.quiet] default false; true: what it prints is shown only if it fails
 * @param {boolean} [options.reads] default false; true: it reads our standard input, which is empty for others
 * @param {AbortSignal | undefined} [options.signal] ends it with SIGTERM; then the abort's reason is thrown
 * @returns {Promise<string>} what it printed, where it was quiet
 */
export function run(command, args, { env = process.env, quiet = false, reads = false, signal } = {}) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    // npm is a batch file on Windows, which only a shell can start.
    const shell = process.platform === 'win32' && command === 'npm'
    const stdio = quiet ? /** @type {const} */ ('pipe') : /** @type {const} */ ('inherit')
    const child = spawn(command, args, { cwd: root, env, shell, stdio: [reads ? 'inherit' : 'ignore', stdio, stdio] })
    const end = () => child.kill('SIGTERM')
    signal?.addEventListener('abort', end)
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        said += text
      })
    }
    child.on('error', (error) => reject(new Error(`${command} cannot be started: ${error.message}`)))
    child.on('close', (code, killedBy) => {
      signal?.removeEventListener('abort', end)
      if (signal?.aborted) reject(signal.reason)
      else if (code === 0) resolve(said)
      else reject(new CommandError([command, ...args].join(' '), killedBy ?? code ?? 1, said))
    })
  })
}
