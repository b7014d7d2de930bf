import { fileURLToPath } from 'node:url'
import { startOn } from './cores.mjs'

const here = (/** @type {string} */ file) => fileURLToPath(new URL(file, import.meta.url))

/**
 * @typedef {object} Load what load.mjs measured; times in milliseconds
 * @property {number} rate requests a second
 * @property {number} p50
 * @property {number} p99
 * @property {number} longest
 * @property {number} errors
 * @property {Record<string, number>} statuses
 * @property {number} withoutRetryAfter
 */

/**
 * Runs the load generator once. Throws when anything but the expected statuses came back.
 *
 * @param {object} job as load.mjs takes it
 * @param {number[]} [expected]
 * @returns {Promise<Load>}
 */
export async function load(job, expected = [200]) {
  const generator = startOn('load', here('load.mjs'), { input: job })
  const measured = /** @type {Load} */ (await generator.said)
  await generator.ended
  const others = Object.keys(measured.statuses).filter((status) => !expected.includes(Number(status)))
  if (others.length > 0 || measured.errors > 0) {
    throw new Error(`answers other than ${expected}: ${JSON.stringify(measured.statuses)}, ${measured.errors} errors`)
  }
  return measured
}

/**
 * Starts a rival, which says its address or its figure.
 *
 * @param {string} name
 * @param {Record<string, string>} [env]
 */
export async function rival(name, env = {}) {
  const child = startOn('server', here(`rivals/${name}.mjs`), { env })
  return { ...child, said: await child.said }
}

/**
 * Measures each in turn, round after round, and returns the median of each.
 *
 * @template {string} K
 * @param {Record<K, () => Promise<number>>} ways
 * @param {number} rounds
 * @returns {Promise<Record<K, number>>}
 */
export async function interleaved(ways, rounds) {
  const names = /** @type {K[]} */ (Object.keys(ways))
  const all = /** @type {Record<K, number[]>} */ (Object.fromEntries(names.map((name) => [name, []])))
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) all[name].push(await ways[name]())
  }
  return /** @type {Record<K, number>} */ (Object.fromEntries(names.map((name) => [name, median(all[name])])))
}

/** @param {number[]} values */
export function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
