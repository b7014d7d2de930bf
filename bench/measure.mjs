import { fileURLToPath } from 'node:url'
import { cores, startOn } from './cores.mjs'

const here = (/** @type {string} */ file) => fileURLToPath(new URL(file, import.meta.url))

/**
 * One figure, `value`, which the table shows, and what else is known of how it came about; busy is the share of the time
 * in which the cores were not idle.
 *
 * @typedef {{ value: number, busy?: Record<'server' | 'load', number> } & Partial<import('./paced.mjs').Outcome>} Run
 */

/**
 * Asks for as much as the server gives; the value is requests a second. Throws when anything but the expected statuses
 * came back.
 *
 * @param {Omit<import('./load.mjs').Job, 'cores'>} job
 * @param {number[]} [expected]
 */
export const load = (job, expected) => generate('load.mjs', { ...job, cores }, expected)

/**
 * Asks at a fixed rate; the value is the 99th percentile of the latencies. Throws as `load` does.
 *
 * @param {import('./paced.mjs').Job} job
 * @param {number[]} [expected]
 */
export const paced = (job, expected) => generate('paced.mjs', job, expected)

/**
 * @param {string} generator
 * @param {object} job
 * @param {number[]} [expected]
 * @returns {Promise<Run>}
 */
async function generate(generator, job, expected = [200]) {
  const child = startOn('load', here(generator), { input: job })
  const run = /** @type {Run & { statuses: object }} */ (await child.said)
  await child.ended
  const other = Object.keys(run.statuses).some((status) => !expected.includes(Number(status)))
  if (other || run.errors) {
    throw new Error(
      `${job.method ?? 'GET'} ${job.path} was not answered with ${expected.join(' or ')} alone: ` +
        `${JSON.stringify(run.statuses)}, ${run.errors} without an answer. Nothing of this run counts. ` +
        'Run the row alone with --quick --logs to see what the services say.'
    )
  }
  return run
}

/**
 * Starts a rival that listens; `url` is where, `ready` the milliseconds until then.
 *
 * @param {string} name
 * @param {Record<string, string>} [env]
 * @param {import('./cores.mjs').Where} [where]
 */
export async function startRival(name, env = {}, where = 'server') {
  const begun = performance.now()
  const child = startOn(where, here(`rivals/${name}.mjs`), { env })
  const url = String(await child.said)
  return { url, pid: child.pid, stop: child.stop, ready: performance.now() - begun }
}

/**
 * Runs a rival that measures itself, on the server's cores.
 *
 * @param {string} name
 * @param {Record<string, string>} env
 * @returns {Promise<Run>}
 */
export async function measureRival(name, env) {
  const child = startOn('server', here(`rivals/${name}.mjs`), { env })
  const value = Number(await child.said)
  await child.ended
  return { value }
}

/**
 * Measures each way in turn, round after round, there and back.
 *
 * @template {string} K
 * @template R what one measurement finds: a run, or several
 * @param {Record<K, () => Promise<R>>} ways
 * @param {{ rounds: number, warm?: number }} options warm: rounds that come first and do not count
 * @returns {Promise<Record<K, R[]>>}
 */
export async function interleaved(ways, { rounds, warm = 0 }) {
  const names = /** @type {K[]} */ (Object.keys(ways))
  const runs = /** @type {Record<K, R[]>} */ (Object.fromEntries(names.map((name) => [name, []])))
  for (let round = -warm; round < rounds; round += 1) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const run = await ways[name]()
      if (round >= 0) runs[name].push(run)
    }
  }
  return runs
}
