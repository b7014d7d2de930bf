// npm test: installs what is missing, builds, runs tap with the given arguments, and ends with the counts in one line.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { root } from './command.mjs'
import { countLine } from './count-line.mjs'
import { installMissing } from './install.mjs'
import { stopSignal } from './stop-signal.mjs'

const output = path.join(root, '.tap/output.tap')

const stop = stopSignal()
try {
  await installMissing(stop)
  const { build } = await import('./build.mjs')
  await build(stop)
  process.exitCode = await tap(process.argv.slice(2))
  console.log(countLine(existsSync(output) ? readFileSync(output, 'utf8') : ''))
} catch (error) {
  console.error(`npm test: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
}

/**
 * @param {string[]} args
 * @returns {Promise<number>} its exit code, which counts missed coverage too
 */
function tap(args) {
  mkdirSync(path.dirname(output), { recursive: true })
  rmSync(output, { force: true })
  // Some of the tests cover some of the code.
  const coverage = args.length > 0 ? ['--allow-incomplete-coverage', '--allow-empty-coverage'] : []
  return new Promise((resolve, reject) => {
    // In a process group of its own, because tap and its children end in order, and run test/after.ts, when a signal
    // reaches all of them, but neither when tap alone gets it, nor when a second one follows.
    const child = spawn('node_modules/.bin/tap', [`--output-file=${output}`, ...coverage, ...args], {
      cwd: root,
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit']
    })
    stop.addEventListener('abort', () => child.pid && process.kill(-child.pid, 'SIGINT'))
    child.on('error', reject)
    child.on('close', (code) => resolve(code ?? 1))
  })
}
