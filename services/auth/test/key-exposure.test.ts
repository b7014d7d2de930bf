import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import t, { type Test } from 'tap'
import { isPrivate } from '../src/keys/exposure.ts'
import { loadKeys } from '../src/keys/folder.ts'
import { letteredKeys } from './key-folder.ts'

const [OWN, OTHER] = [1000, 2000]
const us = { uid: OWN, groups: [OWN, 3000] }

t.test('a key file is private to its owner, or to root and a group of the process that can only read', async (t) => {
  const table: [mode: number, uid: number, gid: number, isPrivate: boolean][] = [
    [0o600, OWN, OTHER, true],
    [0o400, 0, 0, true],
    [0o440, 0, OWN, true], // a Secret of Kubernetes under an fsGroup
    [0o440, 0, 3000, true],
    [0o640, 0, OWN, true],
    [0o640, OWN, OWN, true],
    [0o440, 0, 0, false],
    [0o440, 0, OTHER, false],
    [0o640, OWN, OTHER, false],
    [0o640, OTHER, OWN, false],
    [0o460, 0, OWN, false],
    [0o660, OWN, OWN, false],
    [0o420, 0, OWN, false],
    [0o444, 0, OWN, false],
    [0o604, OWN, OWN, false],
    [0o402, 0, OWN, false],
    [0o401, 0, OWN, false]
  ]
  for (const [mode, uid, gid, expected] of table) {
    // As stat tells it: with the kind of the file in it.
    const name = `${mode.toString(8)} of ${uid}:${gid}`
    t.equal(isPrivate({ mode: 0o100000 | mode, uid, gid }, us), expected, name)
  }
})

const { A, R } = await letteredKeys(['A', 'R'])

/** The warnings of a folder whose access key has this mode and, where we may change it, this owner. */
async function warnings(t: Test, mode: number, owner?: [uid: number, gid: number]): Promise<string[]> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'latchkey-keys-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  chmodSync(dir, 0o755)
  for (const [name, pem] of Object.entries({ access: A, refresh: R })) {
    mkdirSync(path.join(dir, name))
    const file = path.join(dir, name, 'current.private.pem')
    writeFileSync(file, pem)
    if (owner) chownSync(file, ...owner)
    chmodSync(file, mode)
  }
  const told: string[] = []
  const load = () => loadKeys(dir, (message) => told.push(message))
  await (owner ? as(OWN, load) : load())
  return told
}

/** Does something as another user, whose only group has the same number. */
async function as<T>(id: number, work: () => Promise<T>): Promise<T> {
  const groups = process.getgroups?.() ?? []
  process.setgroups?.([id])
  process.setegid?.(id)
  process.seteuid?.(id)
  try {
    return await work()
  } finally {
    process.seteuid?.(0)
    process.setegid?.(0)
    process.setgroups?.(groups)
  }
}

t.test('a file that our group may read is not told of, one that others may read or write is', async (t) => {
  t.strictSame(await warnings(t, 0o440), [])
  t.strictSame(await warnings(t, 0o640), [])
  for (const mode of [0o444, 0o660, 0o604]) {
    const told = await warnings(t, mode)
    t.equal(told.length, 2, mode.toString(8))
    for (const line of told) t.match(line, /current\.private\.pem: others may read this private key\. Run chmod 600/)
  }
})

const isRoot = process.geteuid?.() === 0

t.test("files of root's and of other groups", { skip: !isRoot && 'only root gives files away' }, async (t) => {
  t.strictSame(await warnings(t, 0o440, [0, OWN]), [], 'a Secret under fsGroup, read by the user of the image')
  t.strictSame(await warnings(t, 0o440, [OWN, OWN]), [])
  for (const [mode, uid, gid] of [
    [0o444, 0, OWN],
    [0o460, 0, OWN],
    [0o440, OTHER, OWN],
    [0o440, OWN, OTHER]
  ] as const) {
    t.equal((await warnings(t, mode, [uid, gid])).length, 2, `${mode.toString(8)} of ${uid}:${gid}`)
  }
})
