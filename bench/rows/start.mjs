import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { root } from '../../scripts/command.mjs'
import { freePortAndNext } from '../../scripts/free-port.mjs'
import { allowed, remember } from '../cores.mjs'
import { interleaved } from '../measure.mjs'
import { openPeers } from '../peers.mjs'
import { createPeople } from '../people.mjs'
import { below } from '../table.mjs'

/** From the start of a process until it can serve: a service or a peer alone on one core, and npm start on all. */
export async function start({ pair, rounds }) {
  const database = await createPeople(pair, 1)
  const running = await pair.startAuth(database)
  const ready = (/** @type {() => Promise<any>} */ begin) => async () => {
    const service = await begin()
    await service.stop()
    return { value: service.ready / 1000 }
  }
  // The first: those of the load generator and the database come after it.
  const one = allowed.slice(0, 1)
  const peers = await openPeers(pair)
  const ways = {
    resource: ready(() => pair.startResource(one)),
    auth: ready(() => pair.startAuth(database, 0, one)),
    betterAuth: ready(() => peers.betterAuth(one)),
    oidcProvider: ready(() => peers.oidcProvider(one)),
    all: () => npmStart(pair, 'npm-start')
  }
  let fresh = 0
  const first = async () => {
    fresh += 1
    return npmStart(pair, `npm-start-${fresh}`)
  }
  const found = await interleaved({ ...ways, first }, { warm: 1, rounds })
  await running.stop()
  const row = (/** @type {string} */ what, ours, beside) => ({
    what: `start to ready: ${what}`,
    unit: 's',
    ours,
    ...beside
  })
  const auth = 'auth, on one core, on an existing database'
  return [
    row('resource, on one core', found.resource, below(0.4)),
    row(auth, found.auth, below(0.6)),
    row(auth, found.auth, { beside: 'better-auth', other: found.betterAuth }),
    row(auth, found.auth, { beside: 'node-oidc-provider', other: found.oidcProvider }),
    row('npm start, on a built tree', found.all, below(4)),
    row('npm start, that makes its database first', found.first, below(4))
  ]
}

/**
 * @param {import('../pair.mjs').Pair} pair
 * @param {string} folder of its data
 */
async function npmStart(pair, folder) {
  const [AUTH_PORT, RESOURCE_PORT] = [String(await freePortAndNext()), String(await freePortAndNext())]
  const own = { DATA_DIR: path.join(pair.folder, folder), KEYS_DIR: pair.keys, AUTH_PORT, RESOURCE_PORT }
  const begun = performance.now()
  const child = spawn('npm', ['start'], {
    cwd: root,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...own },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  remember(child)
  let said = ''
  const value = await new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        said += text
        if (/Latchkey \S+ is ready/.test(said)) resolve((performance.now() - begun) / 1000)
      })
    }
    child.on('error', reject).on('exit', () => reject(new Error(`npm start has ended before it was ready:\n${said}`)))
  })
  child.kill('SIGTERM')
  await once(child, 'exit')
  return { value }
}
