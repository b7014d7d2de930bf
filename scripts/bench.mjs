// npm run bench: installs missing dependencies of the benchmark, builds, and measures.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { CommandError, root, run } from './command.mjs'
import { installMissing, isInstalled } from './install.mjs'
import { withProgress } from './progress.mjs'
import { stopSignal } from './stop-signal.mjs'

const stop = stopSignal()
// Only the table, or the JSON, goes to standard output.
console.log = console.error
try {
  await installMissing(stop)
  const { build } = await import('./build.mjs')
  await build(stop)
  if (!isInstalled(packagesOf('package-lock.json') ?? {}, packagesOf('node_modules/.package-lock.json'))) {
    await withProgress('Installing the dependencies of the benchmark (npm ci)', () =>
      run('npm', ['ci', '--prefix', 'bench'], { quiet: true, signal: stop })
    )
  }
  await run(process.execPath, ['bench/run.mjs', ...process.argv.slice(2)], { signal: stop })
} catch (error) {
  // A failed command and a stopped benchmark have already said so.
  if (!(error instanceof CommandError || error === stop.reason))
    console.error(`npm run bench: ${error instanceof Error ? error.message : error}`)
  process.exitCode = error instanceof CommandError ? error.exitCode : 1
}

/** @param {string} file of the benchmark's folder */
function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(path.join(root, 'bench', file), 'utf8')).packages
  } catch {
    return undefined
  }
}
