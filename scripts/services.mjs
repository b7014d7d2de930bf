import { spawn } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { addressOf } from './address.mjs'
import { root } from './command.mjs'
import { environmentOf } from './environment.mjs'
import { withProgress } from './progress.mjs'
import { openServiceLog } from './service-log.mjs'

/** How long to wait until a service is ready, and until it has ended, in milliseconds. */
const patience = { ready: 30_000, end: 15_000 }

/**
 * The options of Node for a service: 8 MB for each half of the room for new objects, instead of 16 MB, because requests
 * need little of it. The images and the start scripts of the services have the same options.
 */
export const nodeFlags = ['--max-semi-space-size=8']

/**
 * @typedef {object} Service
 * @property {string} name
 * @property {string} url
 * @property {import('node:child_process').ChildProcess} process
 * @property {Promise<string>} ended resolves with how it ended
 */

/**
 * Runs the services until the signal is aborted, one of them ends by itself, or one does not become ready. Then ends
 * them in order, and rejects with the reason once all have ended.
 *
 * @param {ReturnType<typeof import('./environment.mjs').readSettings>} settings
 * @param {readonly import('./environment.mjs').ServiceName[]} names in the order of their start
 * @param {object} wait
 * @param {Promise<unknown>} wait.migrated the services may start before, and are not ready until
 * @param {AbortSignal} wait.signal
 * @param {() => void} onReady all can serve
 * @returns {Promise<never>}
 */
export async function runServices(settings, names, { migrated, signal }, onReady) {
  const over = new AbortController()
  signal.addEventListener('abort', () => over.abort(signal.reason))
  /** @type {Service[]} */
  const services = []
  // It may fail before anybody awaits it.
  migrated.catch(() => {})
  // Whoever sets a level wants to see its lines.
  const log = await openServiceLog({ readable: settings.NODE_ENV === 'development', held: !settings['LOG_LEVEL'] })
  try {
    // One after the other, because the others first fetch the keys of the auth service.
    await withProgress('Starting the services', async () => {
      for (const name of names) {
        const service = start(name, settings, log)
        services.push(service)
        service.ended.then((how) =>
          over.abort(new Error(`The ${name} service has ended by itself (${how}); what it said is above.`))
        )
        await migrated
        await waitUntilReady(service, over.signal)
      }
    })
    log.release({ show: false })
    onReady()
    await once(over.signal, 'abort')
    throw over.signal.reason
  } finally {
    // Nobody asks why a start was stopped by Ctrl-C.
    log.release({ show: !signal.aborted })
    await Promise.all(services.map(end))
  }
}

/**
 * @param {import('./environment.mjs').ServiceName} name
 * @param {ReturnType<typeof import('./environment.mjs').readSettings>} settings
 * @param {Awaited<ReturnType<typeof openServiceLog>>} log gets what it says
 * @returns {Service}
 */
function start(name, settings, log) {
  const env = environmentOf(settings, name)
  const child = spawn(process.execPath, [...nodeFlags, `services/${name}/dist/server.js`], {
    cwd: root,
    env,
    // If this process is killed, the channel closes, and the services end by themselves.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc']
  })
  for (const stream of [child.stdout, child.stderr]) log.follow(stream)
  const ended = new Promise((/** @type {(how: string) => void} */ resolve) => {
    child.on('error', (error) => resolve(error.message))
    // Not exit: then some of what it said might not have come yet.
    child.on('close', (code, killedBy) => resolve(killedBy ?? `exit code ${code}`))
  })
  return { name, url: addressOf(settings.HOST, env['PORT'] ?? ''), process: child, ended }
}

/**
 * @param {Service} service
 * @param {AbortSignal} over aborted when nobody waits any more
 */
async function waitUntilReady({ name, url }, over) {
  const end = Date.now() + patience.ready
  for (;;) {
    const status = await statusOf(`${url}/readyz`)
    over.throwIfAborted()
    if (status === 200) return
    if (Date.now() > end)
      throw new Error(`The ${name} service is not ready after ${patience.ready / 1000} s; its log says why.`)
    await sleep(50)
  }
}

/**
 * @param {string} url
 * @returns {Promise<number | undefined>} undefined: no answer
 */
function statusOf(url) {
  return new Promise((resolve) => {
    // No agent: the service would wait for a kept connection when it stops.
    const request = http.get(url, { agent: false, timeout: 5_000 }, (response) => {
      response.resume().on('close', () => resolve(response.statusCode))
    })
    request.on('timeout', () => request.destroy())
    request.on('error', () => resolve(undefined))
  })
}

/** @param {Service} service */
async function end({ name, process: child, ended }) {
  child.kill('SIGTERM')
  const late = setTimeout(() => {
    console.error(`The ${name} service has not ended after ${patience.end / 1000} s: killed.`)
    child.kill('SIGKILL')
  }, patience.end)
  await ended
  clearTimeout(late)
}
