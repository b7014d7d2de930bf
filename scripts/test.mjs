// npm test: installs missing dependencies, builds, and runs tap with the given arguments. At the end it prints one line
// for each failure, and one line with the counts.
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
  // With arguments only some tests run, and these cover only some of the code.
  const coverage = args.length > 0 ? ['--allow-incomplete-coverage', '--allow-empty-coverage'] : []
  // At a terminal, a person sees tap's report, and TAP goes to a file. Elsewhere tap prints TAP; with a file, twice.
  const file = process.stdout.isTTY ? path.join(root, '.tap/output.tap') : undefined
  if (file) {
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, '')
  }
  // In its own process group. If one signal reaches tap and all its children, they end in order and run test/after.ts.
  // If only tap gets it, or a second one follows, they do not.
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
