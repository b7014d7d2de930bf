// npm run bench: installs the benchmark's own dependencies where they are missing, builds, and measures.
import { existsSync } from 'node:fs'
import path from 'node:path'
import { CommandError, root, run } from './command.mjs'
import { installMissing } from './install.mjs'
import { stopSignal } from './stop-signal.mjs'

const stop = stopSignal()
try {
  await installMissing(stop)
  const { build } = await import('./build.mjs')
  await build(stop)
  if (!existsSync(path.join(root, 'bench/node_modules/.package-lock.json'))) {
    await run('npm', ['ci', '--prefix', 'bench'], { signal: stop })
  }
  await run(process.execPath, ['bench/run.mjs', ...process.argv.slice(2)], { signal: stop })
} catch (error) {
  if (!(error instanceof CommandError))
    console.error(`npm run bench: ${error instanceof Error ? error.message : error}`)
  process.exitCode = error instanceof CommandError ? error.exitCode : 1
}
