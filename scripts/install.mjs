// Runs before anything is installed: no dependencies here, and nothing that an older Node cannot read.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { root, run } from './command.mjs'
import { satisfies } from './node-version.mjs'
import { withProgress } from './progress.mjs'

/**
 * @typedef {object} Package as package-lock.json and npm's note in node_modules list it
 * @property {string} [version]
 * @property {string} [resolved]
 * @property {string} [integrity]
 * @property {boolean} [optional]
 * @property {boolean} [dev] a tool for tests and lint
 */
/** @typedef {Record<string, Package>} Packages */

/**
 * Installs the dependencies where they are missing or not those of package-lock.json, and says how far it is. Tools that
 * are installed stay, and are added to what is installed without moving it: something may run from it.
 *
 * @param {AbortSignal} [signal] gives up
 * @param {{ tools?: boolean }} [wanted] default true; false: the tools for tests and lint may be missing
 */
export async function installMissing(signal, { tools = true } = {}) {
  const { engines } = readJson('package.json')
  if (!satisfies(process.versions.node, engines.node)) {
    throw new Error(`This is Node.js ${process.versions.node}, and Latchkey needs ${engines.node}: https://nodejs.org`)
  }
  /** @type {{ packages: Packages }} */
  const { packages: locked } = readJson('package-lock.json')
  const note = 'node_modules/.package-lock.json'
  /** @type {Packages | undefined} */
  const installed = existsSync(path.join(root, note)) ? readJson(note).packages : undefined
  if (isInstalled(locked, installed, { tools })) return
  const hadTools = Object.values(installed ?? {}).some(({ dev }) => dev)
  const args = installArguments({ tools: tools || hadTools, add: isInstalled(locked, installed, { tools: false }) })
  const wanted = Object.keys(locked).filter(
    (name) => name !== '' && !locked[name]?.optional && (tools || hadTools || !locked[name]?.dev)
  )
  const there = () => wanted.filter((name) => existsSync(path.join(root, name, 'package.json'))).length
  await withProgress(
    `Installing the dependencies (npm ${args[0]})`,
    () => run('npm', args, { signal }),
    () => `${there()} of ${wanted.length} packages`
  )
}

/**
 * What npm is told. All that depends on the person's environment or settings is said, such as NODE_ENV=production, which
 * would leave the tools out.
 *
 * @param {{ tools: boolean, add: boolean }} how `add` keeps what is there, where npm ci would begin by deleting it
 */
function installArguments({ tools, add }) {
  const [verb, ...more] = add ? ['install', '--no-save'] : ['ci']
  return [verb, ...more, tools ? '--include=dev' : '--omit=dev', '--no-progress']
}

/**
 * Compares what package-lock.json asks for with what npm noted in node_modules when it had installed it all. Times of
 * files say nothing after a git checkout, and an npm ci of the person's own counts as much as ours.
 *
 * @param {Packages} locked
 * @param {Packages | undefined} installed
 * @param {{ tools?: boolean }} [wanted] default true; false: the tools for tests and lint may be missing
 */
export function isInstalled(locked, installed, { tools = true } = {}) {
  if (!installed) return false
  const same = (/** @type {string} */ name) =>
    locked[name]?.version === installed[name]?.version &&
    locked[name]?.resolved === installed[name]?.resolved &&
    locked[name]?.integrity === installed[name]?.integrity
  return (
    Object.keys(installed).every((name) => name in locked) &&
    Object.entries(locked).every(([name, { optional, dev }]) =>
      // The root itself is not noted, nor what is for other platforms.
      name in installed ? same(name) : name === '' || optional === true || (!tools && dev === true)
    )
  )
}

/** @param {string} file */
function readJson(file) {
  return JSON.parse(readFileSync(path.join(root, file), 'utf8'))
}
