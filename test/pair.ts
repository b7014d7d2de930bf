import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createChatDatabase, createDatabase, serviceUrl } from '@latchkey/testing/database'
import type { Test } from 'tap'
import { freePort } from '../scripts/free-port.mjs'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const LONGEST_START = 60_000

/** One service as a process of its own, built and started as in production. */
export interface Service {
  readonly url: string
  /** All that it has written to standard output and standard error. */
  output(): string
  /** Returns when it is ready, or only up: when this path says 200. `more` settings are for this run alone. */
  start(until?: '/readyz' | '/healthz', more?: Record<string, string>): Promise<void>
  /** Of the process that was started last. */
  pid(): number
  /** Sends SIGTERM and returns the exit code. */
  stop(): Promise<number | null>
  /** Sends SIGKILL and returns when it is gone. */
  kill(): Promise<void>
  /** Sends SIGHUP. */
  hangUp(): void
}

/**
 * Both services on free ports, with a database and keys of their own; everything is gone when the test ends. `extra`
 * settings are for both, `own` for one. `dir` is removed after the services that are started later, which may write there;
 * a `testdir` is removed before them.
 */
export async function startPair(
  t: Test,
  extra: Record<string, string> = {},
  own: { auth?: Record<string, string>; resource?: Record<string, string> } = {}
): Promise<{ auth: Service; resource: Service; dir: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'latchkey-pair-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  const keys = join(dir, 'keys')
  await runScript('generate-keys.sh', [], { KEYS_DIR: keys })
  const [authPort, resourcePort] = [await freePort(), await freePort()]
  const issuer = `http://127.0.0.1:${authPort}`
  const shared: Record<string, string> = {
    PATH: process.env.PATH ?? '',
    ISSUER: issuer,
    AUDIENCE: 'latchkey',
    BCRYPT_COST: '10',
    ...extra
  }
  const auth = service(t, 'auth', {
    ...shared,
    PORT: String(authPort),
    KEYS_DIR: keys,
    DATABASE_URL: shared['DATABASE_URL'] ?? (await serviceUrl(await createDatabase(t))),
    ...own.auth
  })
  const resource = service(t, 'resource', {
    ...shared,
    PORT: String(resourcePort),
    JWKS_URL: `${issuer}/.well-known/jwks.json`,
    JWKS_CACHE_FILE: join(dir, 'jwks.json'),
    ...own.resource
  })
  await Promise.all([auth.start(), resource.start()])
  return { auth, resource, dir }
}

/**
 * The chat on a free port, with a database of its own, on the keys and the revocation feed of this auth service, which has
 * to be open. `extra` are further settings.
 */
export async function startChat(t: Test, auth: Service, extra: Record<string, string> = {}): Promise<Service> {
  const chat = service(t, 'chat', {
    PATH: process.env.PATH ?? '',
    ISSUER: auth.url,
    AUDIENCE: 'latchkey',
    PORT: String(await freePort()),
    DATABASE_URL: await serviceUrl(await createChatDatabase(t)),
    JWKS_URL: `${auth.url}/.well-known/jwks.json`,
    FEED_URL: `${auth.url}/revocations`,
    FEED_WHEN_CUT: 'accept',
    DRAIN_TIME: '0s',
    ...extra
  })
  await chat.start()
  return chat
}

/** Runs one of scripts/ with these settings added to our environment, and returns what it printed. */
export async function runScript(name: string, args: string[], env: Record<string, string>): Promise<string> {
  const { stdout } = await promisify(execFile)(join(ROOT, 'scripts', name), args, { env: { ...process.env, ...env } })
  return stdout
}

/** A service with these settings, not yet started; it is stopped when the test ends. */
export function service(t: Test, name: 'auth' | 'resource' | 'chat', env: Record<string, string>): Service {
  const url = `http://127.0.0.1:${env['PORT']}`
  let child: ChildProcess | undefined
  let output = ''

  async function start(until = '/readyz', more = {}): Promise<void> {
    child = spawn(process.execPath, [join(ROOT, 'services', name, 'dist', 'server.js')], { env: { ...env, ...more } })
    child.stdout?.on('data', (text) => (output += text))
    child.stderr?.on('data', (text) => (output += text))
    const deadline = Date.now() + LONGEST_START
    while (!(await says200(url + until))) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`${name} did not become ready:\n${output}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  async function stop(): Promise<number | null> {
    await end('SIGTERM')
    return child?.exitCode ?? null
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    child.kill(signal)
    await once(child, 'exit')
  }

  t.teardown(stop)
  return {
    url,
    start,
    pid: () => child?.pid ?? 0,
    stop,
    kill: () => end('SIGKILL'),
    output: () => output,
    hangUp: () => void child?.kill('SIGHUP')
  }
}

async function says200(url: string): Promise<boolean> {
  return fetch(url).then(
    (answer) => answer.ok,
    () => false
  )
}
