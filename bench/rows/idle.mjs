import { setTimeout as sleep } from 'node:timers/promises'
import { allowed, fixed } from '../cores.mjs'
import { interleaved } from '../measure.mjs'
import { proportionalMegabytes } from '../memory.mjs'
import { openPeers } from '../peers.mjs'
import { createPeople } from '../people.mjs'
import { below } from '../table.mjs'

/** Seconds after which a service has settled. */
const IDLE = 10
const FEW_CORES = 2
/** What a process holds may differ by so much between two starts. */
const FLAT = 1.1

/** Memory of services that nobody asks anything, on two cores and on one, and of the peers. Linux alone tells it. */
export async function idle({ pair, rounds, quick }) {
  if (!fixed || process.platform !== 'linux') throw new Error('The row idle needs Linux, two cores and taskset.')
  const database = await createPeople(pair, 1)
  const issuer = await pair.startAuth(database)
  const held = (/** @type {(on: number[]) => Promise<any>} */ begin, /** @type {number} */ count) => async () => {
    const service = await begin(allowed.slice(0, count))
    await sleep(quick ? 1000 : IDLE * 1000)
    const value = proportionalMegabytes(service.pid)
    await service.stop()
    return { value }
  }
  const auth = (/** @type {number[]} */ on) => pair.startAuth(database, 0, on)
  const resource = (/** @type {number[]} */ on) => pair.startResource(on)
  const peers = await openPeers(pair)
  const found = await interleaved(
    {
      auth: held(auth, FEW_CORES),
      authOnOne: held(auth, 1),
      resource: held(resource, FEW_CORES),
      resourceOnOne: held(resource, 1),
      betterAuth: held(peers.betterAuth, FEW_CORES),
      oidcProvider: held(peers.oidcProvider, FEW_CORES)
    },
    { rounds }
  )
  await issuer.stop()
  const others = { 'better-auth': found.betterAuth, 'node-oidc-provider': found.oidcProvider }
  return [
    ...rowsOf('auth', 72, found.auth, found.authOnOne, others),
    ...rowsOf('resource', 48, found.resource, found.resourceOnOne)
  ]
}

/**
 * @param {string} name
 * @param {number} limit megabytes
 * @param {import('../measure.mjs').Run[]} ours on two cores
 * @param {import('../measure.mjs').Run[]} onOne
 * @param {Record<string, import('../measure.mjs').Run[]>} [others] peers, without a bar
 */
function rowsOf(name, limit, ours, onOne, others = {}) {
  const row = { what: `idle ${name} service, two cores`, unit: 'MB (PSS)', ours }
  return [
    { ...row, ...below(limit) },
    { ...row, beside: 'one core', other: onOne, most: FLAT },
    ...Object.entries(others).map(([beside, other]) => ({ ...row, beside, other }))
  ]
}
