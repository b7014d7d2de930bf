import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../scripts/free-port.mjs'
import { allowed, fixed } from '../cores.mjs'
import { interleaved } from '../measure.mjs'
import { proportionalMegabytes } from '../memory.mjs'
import { createPeople } from '../people.mjs'
import { below } from '../table.mjs'

/** Seconds after which a service has settled. */
const IDLE = 10
const FEW_CORES = 2
/** What a process holds may differ by so much between two starts. */
const FLAT = 1.1

/** Memory of services that nobody asks anything, on two cores and on one. Linux alone tells it. */
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
  const auth = async (/** @type {number[]} */ on) => pair.startAuth(database, await freePort(), on)
  const resource = (/** @type {number[]} */ on) => pair.startResource(on)
  const found = await interleaved(
    {
      auth: held(auth, FEW_CORES),
      authOnOne: held(auth, 1),
      resource: held(resource, FEW_CORES),
      resourceOnOne: held(resource, 1)
    },
    { rounds }
  )
  await issuer.stop()
  const unit = 'MB (PSS)'
  return [
    { what: 'idle auth service, two cores', unit, ours: found.auth, ...below(72) },
    { what: 'idle resource service, two cores', unit, ours: found.resource, ...below(48) },
    {
      what: 'idle auth service, two cores',
      unit,
      ours: found.auth,
      beside: 'one core',
      other: found.authOnOne,
      most: FLAT
    },
    {
      what: 'idle resource service, two cores',
      unit,
      ours: found.resource,
      beside: 'one core',
      other: found.resourceOnOne,
      most: FLAT
    }
  ]
}
