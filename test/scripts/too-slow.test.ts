import { execFile } from 'node:child_process'
import { copyFile, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { countLine } from '../../scripts/count-line.mjs'
import { failedTests } from '../../scripts/failed-tests.mjs'
import { temporaryFolder } from './embedded.ts'
import { plainEnvironment } from './plain-environment.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

const FILES = ['a-waits', 'b-fails', 'c-passes'].map((name) => `${name}.mjs`)

/**
 * What npm test says at its end of these files, with a time limit of 20 s. In a folder of its own: tap empties its folder
 * `.tap` first, and with it the coverage of the run that this test is in.
 */
async function lastLines(): Promise<string[]> {
  const folder = await temporaryFolder(t)
  for (const file of FILES) await copyFile(path.join(root, 'test/scripts/too-slow', file), path.join(folder, file))
  await copyFile(path.join(root, 'test/time-limit.mjs'), path.join(folder, 'time-limit.mjs'))
  await symlink(path.join(root, 'node_modules'), path.join(folder, 'node_modules'))
  await writeFile(path.join(folder, 'package.json'), '{ "type": "module" }')
  await writeFile(path.join(folder, '.taprc'), 'node-arg: ["--import=./time-limit.mjs"]\ntimeout: 20\njobs: 2\n')
  // Without what tap tells this process, such as its own time limit, which would win.
  const env = Object.fromEntries(Object.entries(plainEnvironment()).filter(([name]) => !/^_?TAP/.test(name)))
  const args = ['--disable-coverage', '--reporter=tap', ...FILES]
  const tap = promisify(execFile)(path.join(root, 'node_modules/.bin/tap'), args, { cwd: folder, env })
  const { stdout } = await tap.catch((error) => {
    t.equal(error.code, 1, 'the exit code says that it failed')
    return error
  })
  return [...failedTests(stdout), countLine(stdout)]
}

t.test('a test file that reaches its time limit is told apart from faults, and the others are run', async (t) => {
  const [fault, slow, counts, ...more] = await lastLines()
  t.match(fault, /^failed: b-fails\.mjs > a real fault > should be equal/)
  t.match(slow, /^too slow: a-waits\.mjs \(over 18 s, load \d+ on \d+ cores\)$/)
  t.match(counts, /^\d+ passed, \d+ failed/)
  t.same(more, [], 'nothing else failed, and no file was left out')
})
