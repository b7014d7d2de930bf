import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { temporaryFolder } from './embedded.ts'
import { plainEnvironment } from './plain-environment.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What npm test says at its end of these files, with the time limit in seconds and tap's settings but the database. */
async function lastLines(settings: string, files: string[]): Promise<string[]> {
  const args = ['scripts/test.mjs', '--disable-coverage', ...files.map((file) => `test/scripts/too-slow/${file}.mjs`)]
  // Without what tap tells this process, such as its own time limit, which would win.
  const untold = Object.fromEntries(Object.entries(plainEnvironment()).filter(([name]) => !/^_?TAP/.test(name)))
  const env = { ...untold, TAP_RCFILE: settings }
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, env }).catch((error) => {
    t.equal(error.code, 1, 'the exit code says that it failed')
    return error
  })
  return stdout.split('\n').filter((line: string) => /^(failed|too slow|not run|\d+ passed)/.test(line))
}

t.test('a test file that reaches its time limit is told apart from faults, and the others are run', async (t) => {
  const settings = path.join(await temporaryFolder(t), 'taprc')
  const [nodeArguments] = /^node-arg:.*$/m.exec(await readFile(path.join(root, '.taprc'), 'utf8')) ?? []
  await writeFile(settings, `${nodeArguments}\ntimeout: 20\njobs: 2\n`)
  const [fault, slow, counts, ...more] = await lastLines(settings, ['a-waits', 'b-fails', 'c-passes'])
  t.match(fault, /^failed: test\/scripts\/too-slow\/b-fails\.mjs > a real fault > should be equal/)
  t.match(slow, /^too slow: test\/scripts\/too-slow\/a-waits\.mjs \(over 18 s, load \d+ on \d+ cores\)$/)
  t.match(counts, /^\d+ passed, \d+ failed/)
  t.same(more, [], 'nothing else failed, and no file was left out')
})
