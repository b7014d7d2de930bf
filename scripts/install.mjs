// Runs before anything is installed: no dependencies here, and nothing that an older Node cannot read.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { root, run } from './command.mjs'
import { satisfies } from './node-version.mjs'

/**
 * Installs the dependencies, the development ones too, where they are missing or not those of package-lock.json.
 *
 * @param {AbortSignal} [signal] gives up
 */
export async function installMissing(signal) {
  const { engines } = readJson('package.json')
  if (!satisfies(process.versions.node, engines.node)) {
    throw new Error(`This is Node.js ${process.versions.node}, and Latchkey needs ${engines.node}: https://nodejs.org`)
  }
  const note = 'node_modules/.package-lock.json'
  const installed = existsSync(path.join(root, note)) ? readJson(note).packages : undefined
  if (isInstalled(readJson('package-lock.json').packages, installed)) return
  console.log('Installing the dependencies (npm ci) …')
  // Said by itself, because NODE_ENV=production would leave the development dependencies out.
  await run('npm', ['ci', '--include=dev'], { signal })
}

/** @typedef {Record<string, { version?: string, resolved?: string, integrity?: string, optional?: boolean }>} Packages */

/**
 * Compares what package-lock.json asks for with what npm noted in node_modules when it had installed it all. Times of
 * files say nothing after a git checkout, and an npm ci of the person's own counts as much as ours.
 *
 * @param {Packages} locked
 * @param {Packages | undefined} installed
 */
export function isInstalled(locked, installed) {
  if (!installed) return false
  const same = (/** @type {string} */ name) =>
    locked[name]?.version === installed[name]?.version &&
    locked[name]?.resolved === installed[name]?.resolved &&
    locked[name]?.integrity === installed[name]?.integrity
  return (
    Object.keys(installed).every((name) => name in locked) &&
    Object.entries(locked).every(([name, { optional }]) =>
      // The root itself is not noted, nor what is for other platforms.
      name in installed ? same(name) : name === '' || optional === true
    )
  )
}

/** @param {string} file */
function readJson(file) {
  return JSON.parse(readFileSync(path.join(root, file), 'utf8'))
}
