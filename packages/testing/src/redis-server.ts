import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { freePort } from '../../../scripts/free-port.mjs'

const SERVER = ['/usr/bin/redis-server', '/usr/bin/valkey-server', '/usr/local/bin/redis-server'].find(existsSync)

/** Its password, which no log may have. */
export const REDIS_PASSWORD = 'a-secret-of-redis'

/** Why tests with Redis are skipped here, or false. */
export const SKIPS_REDIS = !SERVER && !process.env['CI'] && 'no Redis or Valkey here'

/** A Redis of a test, which it can stop and start again at the same address. */
export interface RunningRedis {
  readonly url: string
  start(): Promise<void>
  signal(name: NodeJS.Signals): void
  stop(): Promise<void>
}

/** Starts a Redis on a free port; it ends with the test. `login` are its settings for who may log in. */
export async function startRedis(t: Test, login = ['--requirepass', REDIS_PASSWORD]): Promise<RunningRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-redis-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const port = await freePort()
  let child: ChildProcess | undefined
  const settings = ['--bind', '127.0.0.1', '--save', '', '--dir', folder, ...login]

  async function stop(): Promise<void> {
    if (!child) return
    child.kill('SIGKILL')
    await once(child, 'exit')
    child = undefined
  }

  async function start(): Promise<void> {
    child = spawn(String(SERVER), ['--port', String(port), ...settings], { stdio: 'ignore' })
    while (!(await listens(port))) await sleep(20)
  }

  t.teardown(stop)
  await start()
  return { url: `redis://:${REDIS_PASSWORD}@127.0.0.1:${port}`, start, stop, signal: (name) => child?.kill(name) }
}

function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  return once(socket, 'connect')
    .then(
      () => true,
      () => false
    )
    .finally(() => socket.destroy())
}
