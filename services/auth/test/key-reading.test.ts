import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { loadKeys, readKeyFiles } from '../src/keys/folder.ts'
import { WatchedFolder } from '../src/keys/watched-folder.ts'
import { keyFolder, letteredKeys } from './key-folder.ts'

t.test('a folder is read as it was at one moment, though keys are renamed and replaced in it', async (t) => {
  const { dir, move, write } = keyFolder(t, { 'access/current': '0', 'access/next': '1', 'refresh/current': '0' })
  let made = 2
  for (let round = 0; round < 10; round += 1) {
    const reading = readKeyFiles(dir)
    for (let rotations = 0; rotations < 10; rotations += 1) {
      await new Promise((resolve) => setImmediate(resolve))
      move('access/current', `access/previous-${made}`)
      move('access/next', 'access/current')
      write('access/next', String(made))
      made += 1
    }
    const files = (await reading).files.filter(({ kind }) => kind === 'access')
    const keys = files.map(({ pem, fault }) => fault ?? Number(pem)).sort((a, b) => Number(a) - Number(b))
    t.strictSame(keys, [...keys.keys()], 'each key once, from the first to the last')
  }
})

t.test('what is no file is not opened', async (t) => {
  const { A, R } = await letteredKeys(['A', 'R'])
  const { dir } = keyFolder(t, { 'access/current': A, 'refresh/current': R })
  const pipe = path.join(dir, 'access/next.private.pem')
  execFileSync('mkfifo', [pipe])
  await t.rejects(loadKeys(dir, t.fail), { message: `${pipe}: cannot be read (no regular file).` })
})

t.test('a previous key may be in another slot too, as in the middle of a rotation', async (t) => {
  const { A, R } = await letteredKeys(['A', 'R'])
  const { dir } = keyFolder(t, { 'access/current': A, 'access/previous-1': A, 'refresh/current': R })
  const { access } = await loadKeys(dir, t.fail)
  t.strictSame(
    [...access.accepted.values()].map(({ slot }) => slot),
    ['current']
  )
})

t.test('a folder that cannot be used has the time at which it was good, until it is good again', async (t) => {
  const { A, R } = await letteredKeys(['A', 'R'])
  const { dir, move } = keyFolder(t, { 'access/current': A, 'refresh/current': R })
  const faults: object[] = []
  const log = {
    info: () => void t.fail(),
    warn: () => void t.fail(),
    error: (details: object) => void faults.push(details)
  }
  const folder = await WatchedFolder.open(dir, log)
  const opened = folder.readAt
  move('access/current', 'access/away')
  for (let looks = 0; looks < 3; looks += 1) {
    await sleep(5)
    await folder.read()
  }
  t.equal(folder.readAt, opened)
  t.equal(faults.length, 1, 'the fault is told of once')
  move('access/away', 'access/current')
  await folder.read()
  t.ok(folder.readAt > opened)
})
