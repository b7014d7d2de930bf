import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { BUILT_IN, buildIn } from './build-in.mjs'
import { bundle, ENTRIES } from './bundle.mjs'
import { root, run } from './command.mjs'
import { withProgress } from './progress.mjs'

// In node_modules, because an install, which can bring other types, removes it.
const stampFile = path.join(root, 'node_modules/.latchkey-build.json')

/**
 * Compiles the packages and bundles the services into their dist folders, unless these were made from the present
 * sources.
 *
 * Compares the content of the sources, because tsc -b is not enough: it does not replace lost output, keeps the output
 * of a deleted source, and goes by times of files.
 *
 * @param {AbortSignal} [signal] gives up
 */
export async function build(signal) {
  const packages = list('packages')
    .map((name) => `packages/${name}`)
    .filter((folder) => existsSync(path.join(root, folder, 'tsconfig.build.json')))
  const services = Object.keys(ENTRIES).filter((name) => existsSync(path.join(root, 'services', name)))
  const compiled = packages.flatMap((folder) => filesBelow(`${folder}/src`))
  const folders = [...packages, ...services.map((name) => `services/${name}`)]
  const settings = [
    ...folders.map((folder) => `${folder}/package.json`),
    ...packages.map((folder) => `${folder}/tsconfig.build.json`)
  ]
  const scripts = ['build', 'build-in', 'bundle'].map((name) => `scripts/${name}.mjs`)
  const inputs = [
    ...['package-lock.json', 'tsconfig.json', 'tsconfig.build.json', ...scripts, ...settings, ...compiled],
    ...services.flatMap((name) => filesBelow(`services/${name}/src`))
  ]
  const digests = Object.fromEntries(inputs.map((file) => [file, digest(file)]))

  const last = readStamp()
  const changed = inputs.filter((file) => digests[file] !== last?.digests[file])
  const gone = Object.keys(last?.digests ?? {}).filter((file) => !(file in digests))
  const outputs = compiled.flatMap(outputsOf)
  const isThere = (/** @type {string} */ file) => existsSync(path.join(root, file))
  const complete = outputs.every(isThere)
  if (last && complete && last.bundles.every(isThere) && changed.length + gone.length === 0) return

  const seenByCompiler = (/** @type {string} */ file) => statSync(path.join(root, file)).mtimeMs > (last?.time ?? 0)
  const force = last && complete && changed.every(seenByCompiler) ? [] : ['--force']
  const compiler = ['node_modules/typescript/bin/tsc', '-b', 'tsconfig.build.json', ...force]
  /** @type {string[]} */
  const bundles = []
  await withProgress('Building', async () => {
    await run(process.execPath, compiler, { signal })
    for (const name of services) bundles.push(...(await bundle(name)))
  })
  removeOthers(folders, new Set([...outputs, ...bundles]))
  buildIn()
  writeFileSync(stampFile, JSON.stringify({ digests, bundles }))
}

/**
 * Removes from the dist folders the scripts of deleted sources, and bundles of another content.
 *
 * @param {string[]} folders
 * @param {Set<string>} wanted
 */
function removeOthers(folders, wanted) {
  for (const file of folders.flatMap((folder) => filesBelow(`${folder}/dist`))) {
    const script = file.replace(/(\.d\.ts|\.js)(\.map)?$/, '.js')
    if (script.endsWith('.js') && !wanted.has(script)) rmSync(path.join(root, file))
  }
}

/**
 * @param {string} source such as packages/tokens/src/rules.ts
 * @returns {string[]} the scripts that are made of it
 */
function outputsOf(source) {
  const [folder = '', file = ''] = source.replace(/\.ts$/, '.js').split('/src/')
  const name = folder.replace('packages/', '')
  const builtIn = BUILT_IN.includes(name) ? [`packages/verifier/dist/built-in/${name}/${file}`] : []
  return [`${folder}/dist/${file}`, ...builtIn]
}

/** @param {string} file */
const digest = (file) =>
  createHash('sha256')
    .update(readFileSync(path.join(root, file)))
    .digest('hex')

/** @param {string} folder */
const list = (folder) =>
  readdirSync(path.join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)

/**
 * @param {string} folder
 * @returns {string[]} relative to the repository
 */
function filesBelow(folder) {
  if (!existsSync(path.join(root, folder))) return []
  return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const file = `${folder}/${entry.name}`
    return entry.isDirectory() ? filesBelow(file) : [file]
  })
}

/** @returns {{ digests: Record<string, string>, bundles: string[], time: number } | undefined} */
function readStamp() {
  try {
    const stamp = JSON.parse(readFileSync(stampFile, 'utf8'))
    // That of another version counts as none.
    return stamp.digests && stamp.bundles ? { ...stamp, time: statSync(stampFile).mtimeMs } : undefined
  } catch {
    return undefined
  }
}
