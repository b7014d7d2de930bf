// npm run check: builds, checks format, lint, types and the package of the verifier, then runs npm test. It stops at
// the first step that fails.
import { CommandError, run } from './command.mjs'
import { installMissing } from './install.mjs'
import { stopSignal } from './stop-signal.mjs'

/** @type {[what: string, command: string, args: string[]][]} */
const steps = [
  ['format and lint', 'node_modules/.bin/biome', ['ci', '.']],
  ['types', 'node_modules/.bin/tsc', ['--noEmit']],
  ['types of the pages', 'node_modules/.bin/tsc', ['--noEmit', '-p', 'services/auth/pages']],
  ['types of the chat’s page', 'node_modules/.bin/tsc', ['--noEmit', '-p', 'services/chat/page']],
  ['the verifier as others install it', 'node_modules/.bin/publint', ['packages/verifier', '--strict']],
  ['its types', 'node_modules/.bin/attw', ['--pack', 'packages/verifier', '--profile', 'esm-only']],
  ['tests', 'npm', ['test']]
]

const stop = stopSignal()
try {
  await installMissing(stop)
  const { build } = await import('./build.mjs')
  await build(stop)
  for (const [what, command, args] of steps) {
    console.log(`check: ${what}`)
    await run(command, args, { signal: stop })
  }
} catch (error) {
  console.error(`check: ${error instanceof Error ? error.message : error}`)
  process.exitCode = error instanceof CommandError ? error.exitCode : 1
}
