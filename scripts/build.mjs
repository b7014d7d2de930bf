import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { BUILT_IN, buildIn } from './build-in.mjs'
import { root, run } from './command.mjs'
import { withProgress } from './progress.mjs'

// In node_modules, because an install, which can bring other types, removes it.
const stampFile = path.join(root, 'node_modules/.latchkey-build.json')

/**
 * Compiles the packages and services into their dist folders, unless these were made from the present sources.
 *
 * Compares the content of the sources, because tsc -b is not enough: it does not replace lost output, keeps the output
 * of a deleted source, and goes by times of files.
 *
 * @param {AbortSignal} [signal] gives up
 */
export async function build(signal) {
  const folders = ['packages', 'services']
    .flatMap((kind) => list(kind).map((name) => `${kind}/${name}`))
    .filter((folder) => existsSync(path.join(root, folder, 'tsconfig.build.json')))
  const sources = folders.flatMap((folder) => filesBelow(`${folder}/src`))
  const settings = folders.flatMap((folder) => [`${folder}/package.json`, `${folder}/tsconfig.build.json`])
  const inputs = ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json', ...settings, ...sources]
  const stamp = Object.fromEntries(inputs.map((file) => [file, digest(file)]))

  const last = readStamp()
  const changed = inputs.filter((file) => stamp[file] !== last?.digests[file])
  const gone = Object.keys(last?.digests ?? {}).filter((file) => !(file in stamp))
  const complete = sources.flatMap(outputsOf).every((file) => existsSync(path.join(root, file)))
  if (last && complete && changed.length + gone.length === 0) return

  const seenByCompiler = (/** @type {string} */ file) => statSync(path.join(root, file)).mtimeMs > (last?.time ?? 0)
  const force = last && complete && changed.every(seenByCompiler) ? [] : ['--force']
  const compiler = ['node_modules/typescript/bin/tsc', '-b', 'tsconfig.build.json', ...force]
  await withProgress('Building', () => run(process.execPath, compiler, { signal }))
  const wanted = new Set(sources.flatMap(outputsOf))
  for (const file of folders.flatMap((folder) => filesBelow(`${folder}/dist`))) {
    const script = file.replace(/(\.d\.ts|\.js)(\.map)?$/, '.js')
    if (script.endsWith('.js') && !wanted.has(script)) rmSync(path.join(root, file))
  }
  buildIn()
  writeFileSync(stampFile, JSON.stringify(stamp))
}

/**
 * @param {string} source such as services/auth/src/app.ts
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

/** @returns {{ digests: Record<string, string>, time: number } | undefined} */
function readStamp() {
  try {
    return { digests: JSON.parse(readFileSync(stampFile, 'utf8')), time: statSync(stampFile).mtimeMs }
  } catch {
    return undefined
  }
}
