// npm test: installs what is missing, builds, runs tap with the given arguments, and ends with what failed, a line each, and
// the counts in one line.
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { root } from './command.mjs'
import { countLine } from './count-line.mjs'
import { installMissing } from './install.mjs'
import { stopSignal } from './stop-signal.mjs'

const stop = stopSignal()
try {
  await installMissing(stop)
  const { build } = await import('./build.mjs')
  await build(stop)
  const { exitCode, output } = await tap(process.argv.slice(2))
  const { failedTests } = await import('./failed-tests.mjs')
  for (const line of [...failedTests(output), countLine(output)]) console.log(line)
  process.exitCode = exitCode
} catch (error) {
  console.error(`npm test: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
}

/**
 * @param {string[]} args
 * @returns {Promise<{ exitCode: number, output: string }>} the exit code counts missed coverage too; output is TAP
 */
function tap(args) {
  // Some of the tests cover some of the code.
  const coverage = args.length > 0 ? ['--allow-incomplete-coverage', '--allow-empty-coverage'] : []
  // A person at a terminal gets tap's colours, and TAP goes to a file; elsewhere tap prints TAP, and with a file twice.
  const file = process.stdout.isTTY ? path.join(root, '.tap/output.tap') : undefined
  if (file) {
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, '')
  }
  // In a process group of its own, because tap and its children end in order, and run test/after.ts, when a signal
  // reaches all of them, but neither when tap alone gets it, nor when a second one follows.
  const child = spawn('node_modules/.bin/tap', [...(file ? [`--output-file=${file}`] : []), ...coverage, ...args], {
    cwd: root,
    detached: true,
    stdio: ['ignore', file ? 'inherit' : 'pipe', 'inherit']
  })
  stop.addEventListener('abort', () => child.pid && process.kill(-child.pid, 'SIGINT'))
  let printed = ''
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    printed += text
    process.stdout.write(text)
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ exitCode: code ?? 1, output: file ? readFileSync(file, 'utf8') : printed }))
  })
}
