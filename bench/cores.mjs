import { execFileSync, fork, spawn } from 'node:child_process'
import os from 'node:os'

const count = os.cpus().length
const pinnable = process.platform === 'linux' && count >= 2 && hasTaskset()

/** Server and load generator on cores of their own, as taskset lists them; undefined where that cannot be had. */
export const cores = pinnable
  ? { server: list(0, Math.floor(count / 2)), load: list(Math.floor(count / 2), count) }
  : { server: undefined, load: undefined }

/** How many cores the server has. */
export const serverCores = pinnable ? Math.floor(count / 2) : count

/**
 * Starts a script of Node's on these cores; it may send one message, which is what `said` resolves with.
 *
 * @param {'server' | 'load'} where
 * @param {string} script
 * @param {{ env?: Record<string, string>, input?: unknown }} [options] input is sent to the script as a message
 */
export function startOn(where, script, { env = {}, input } = {}) {
  const child = fork(script, {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc']
  })
  pin(child.pid, cores[where])
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const said = new Promise((resolve, reject) => {
    child.once('message', resolve)
    child.once('exit', (code) => reject(new Error(`${script} ended with ${code} before it said anything`)))
  })
  if (input !== undefined) child.send(input)
  return {
    pid: child.pid,
    said,
    ended,
    stop: async () => {
      child.kill('SIGTERM')
      await ended
    }
  }
}

/**
 * Moves a process that runs already, with its threads, to these cores.
 *
 * @param {number | undefined} pid
 * @param {string | undefined} where
 */
export function pin(pid, where) {
  if (where && pid)
    execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', where, String(pid)], { stdio: 'ignore' })
}

/**
 * Runs a program on the server's cores and returns what it prints.
 *
 * @param {string} command
 * @param {string[]} args
 * @returns {Promise<string>}
 */
export function printed(command, args) {
  const [program, ...rest] = cores.server
    ? ['taskset', '--cpu-list', cores.server, command, ...args]
    : [command, ...args]
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk))
    child.on('error', reject).on('close', () => resolve(text))
  })
}

function hasTaskset() {
  try {
    execFileSync('taskset', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/**
 * @param {number} from
 * @param {number} to exclusive
 */
function list(from, to) {
  return Array.from({ length: to - from }, (_, i) => from + i).join(',')
}
