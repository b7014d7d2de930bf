// Runs before anything is installed. So it has no dependencies, and an older Node can run it, to say what is needed.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { CommandError, root, run } from './command.mjs'
import { installAdvice } from './install-advice.mjs'
import { satisfies } from './node-version.mjs'
import { withProgress } from './progress.mjs'

/**
 * @typedef {object} Package an entry of package-lock.json, or of npm's copy of it in node_modules
 * @property {string} [version]
 * @property {string} [resolved]
 * @property {string} [integrity]
 * @property {boolean} [optional]
 * @property {boolean} [link] to a package of this repository
 * @property {boolean} [dev] a tool for tests and lint
 */
/** @typedef {Record<string, Package>} Packages */

/**
 * Installs the dependencies if some are missing or differ from package-lock.json, and shows the progress. Installed
 * tools stay. If only tools are missing, they are added and nothing else is touched: a program may run from there.
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
  const isWanted = (/** @type {Package | undefined} */ entry) => !entry?.optional && (tools || hadTools || !entry?.dev)
  const wanted = Object.keys(locked).filter(
    // Not our own packages, which are there from the beginning.
    (name) => name.startsWith('node_modules/') && !locked[name]?.link && isWanted(locked[name])
  )
  const there = () => wanted.filter((name) => existsSync(path.join(root, name, 'package.json'))).length
  await withProgress(
    `Installing the dependencies (npm ${args[0]})`,
    () => runNpm(args, signal),
    () => `${there()} of ${wanted.length} packages`
  )
}

/**
 * Runs npm, which is heard only if it fails. Then the error says what to do.
 *
 * @param {string[]} args
 * @param {AbortSignal | undefined} signal gives up
 */
async function runNpm(args, signal) {
  try {
    await run('npm', args, { quiet: true, signal })
  } catch (error) {
    if (error instanceof CommandError) error.message += `\n\n${installAdvice(error.message)}`
    throw error
  }
}

/**
 * The arguments of npm. They override the environment and npm settings of the person: with NODE_ENV=production, npm
 * would not install the tools.
 *
 * @param {{ tools: boolean, add: boolean }} how `add`: keep what is installed; npm ci would first delete it
 */
function installArguments({ tools, add }) {
  const [verb, ...more] = add ? ['install', '--no-save'] : ['ci']
  return [verb, ...more, tools ? '--include=dev' : '--omit=dev', '--no-progress']
}

/**
 * Compares package-lock.json with the list that npm wrote into node_modules at the end of its install. It does not
 * compare times of files, which say nothing after a git checkout. So it also accepts an npm ci that the person ran.
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
      // The list has neither the root itself nor packages for other platforms.
      name in installed ? same(name) : name === '' || optional === true || (!tools && dev === true)
    )
  )
}

/** @param {string} file */
function readJson(file) {
  return JSON.parse(readFileSync(path.join(root, file), 'utf8'))
}
