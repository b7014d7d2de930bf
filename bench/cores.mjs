import { execFileSync, fork, spawn } from 'node:child_process'
import os from 'node:os'

/** The cores that this process may use; none where taskset cannot tell. */
export const allowed = allowedCores()
const half = Math.floor(allowed.length / 2)

/** Whether processes can be kept on cores of their own. */
export const fixed = allowed.length >= 2

/** Cores of the servers, and those of the load generator and the database; both are all where they cannot be fixed. */
export const cores = fixed
  ? { server: allowed.slice(0, half), load: allowed.slice(half) }
  : { server: [...os.cpus().keys()], load: [...os.cpus().keys()] }

/** @typedef {'server' | 'load' | 'anywhere' | number[]} Where a list is one of cores */

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set()

/** Has `stopAll` end this process, if it does not end before. @param {import('node:child_process').ChildProcess} child */
export function remember(child) {
  running.add(child)
  child.once('exit', () => running.delete(child))
}

/** Whether what the servers log is shown; it is written either way. */
const logs = process.argv.includes('--logs')

/**
 * Starts a script of Node's on these cores; what it sends first is what `said` resolves with.
 *
 * @param {Where} where
 * @param {string} script
 * @param {{ env?: Record<string, string>, flags?: string[], input?: unknown }} [options] flags are Node's; input is sent
 *   to the script as a message
 */
export function startOn(where, script, { env = {}, flags = [], input } = {}) {
  const [program = '', ...args] = onCores(where, process.execPath)
  const child = fork(script, {
    execPath: program,
    execArgv: [...args, ...flags],
    env: { PATH: process.env.PATH ?? '', NODE_ENV: 'production', ...env },
    stdio: ['ignore', logs ? 2 : 'ignore', 'inherit', 'ipc']
  })
  remember(child)
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const said = new Promise((resolve, reject) => {
    child.once('message', resolve)
    child.once('exit', (code) => reject(new Error(`${script} ended with ${code} before it said anything`)))
  })
  said.catch(() => {})
  if (input !== undefined) child.send(/** @type {import('node:child_process').Serializable} */ (input))
  return {
    child,
    pid: child.pid,
    said,
    ended,
    stop: async () => {
      child.kill('SIGTERM')
      await ended
    }
  }
}

/** Ends whatever still runs. */
export async function stopAll() {
  await Promise.all(
    [...running].map((child) => {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      return ended
    })
  )
}

/**
 * Runs a program on the server's cores and returns what it prints.
 *
 * @param {string} command
 * @param {string[]} args
 * @returns {Promise<string>}
 */
export function printed(command, args) {
  const [program = '', ...rest] = onCores('server', command)
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...rest, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk))
    child.on('error', reject).on('close', () => resolve(text))
  })
}

/**
 * Runs `begin` with this process on these cores: what it starts stays there.
 *
 * @template T
 * @param {keyof typeof cores} where
 * @param {() => Promise<T>} begin
 */
export async function startedOn(where, begin) {
  move(cores[where])
  try {
    return await begin()
  } finally {
    move(allowed)
  }
}

/** @param {number[]} list */
function move(list) {
  if (fixed) execFileSync('taskset', ['--cpu-list', '--pid', list.join(), String(process.pid)], { stdio: 'ignore' })
}

/** @param {Where} where @param {string} program */
const onCores = (where, program) =>
  fixed && where !== 'anywhere' ? ['taskset', '--cpu-list', listOf(where).join(), program] : [program]

/** @param {'server' | 'load' | number[]} where */
const listOf = (where) => (Array.isArray(where) ? where : cores[where])

/** @returns {number[]} those that this process may use; none where taskset cannot tell */
function allowedCores() {
  try {
    const self = ['--cpu-list', '--pid', String(process.pid)]
    const said = execFileSync('taskset', self, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    // pid 123's current affinity list: 0-3,8
    return (said.split(':')[1] ?? '').split(',').flatMap((part) => {
      const [from, to = from] = part.split('-').map(Number)
      return Array.from({ length: to - from + 1 }, (_, i) => from + i)
    })
  } catch {
    return []
  }
}
