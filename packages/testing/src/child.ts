import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

/** A process that a test started. */
export interface Child {
  readonly process: ChildProcess
  /** How it ended, and all that it wrote. */
  readonly ended: Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }>
  /** The first match in what it has written, or will have; rejects when it ends without. */
  find(pattern: RegExp): Promise<RegExpExecArray>
}

/**
 * Runs a compiled file as its own process, as services run, with only these settings; `npm test` has built dist. The
 * process is killed at the end of the test.
 */
export function startChild(t: Test, file: URL, env: Record<string, string>): Child {
  // Tap puts what measures coverage into the NODE_OPTIONS of every process; without it one starts in half the time.
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, fileURLToPath(file)], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc']
  })
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  const exited = new Promise<void>((resolve, reject) => {
    child.once('exit', () => resolve())
    // A child that runs has an error where a message comes too late for it. Unheard, it would end whatever test runs then.
    child.on('error', (error) => child.pid === undefined && reject(error))
  })
  // Not the child's own event close, which never comes once we have disconnected; nor a stream's end, which a stream that
  // was destroyed does not have.
  const closed = [child.stdout, child.stderr].map((stream) => stream && once(stream, 'close'))
  const ended: Child['ended'] = Promise.all([exited, ...closed]).then(() => {
    return { code: child.exitCode, signal: child.signalCode, stdout, stderr }
  })
  t.teardown(() => child.kill('SIGKILL'))
  const find: Child['find'] = (pattern) =>
    new Promise((resolve, reject) => {
      const look = () => {
        const found = pattern.exec(stdout)
        if (found) resolve(found)
      }
      child.stdout?.on('data', look)
      ended.then(() => reject(new Error(`ended without ${pattern}:\n${stdout}\n${stderr}`)), reject)
      look()
    })
  return { process: child, ended, find }
}

/** The address that a service says it listens on. */
export async function addressOf(child: Child): Promise<string> {
  const [, address = ''] = await child.find(/Server listening at (http:[^"]+)/)
  return address
}
