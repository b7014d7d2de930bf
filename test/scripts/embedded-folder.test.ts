// Whose folder the database may lie in, and that nothing of anybody else is touched.
import { chmod, chown, cp, lstat, mkdir, readdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import t, { type Test } from 'tap'
import { runAs } from '../../tools/embedded-postgres/run-as.mjs'
import { startPostgres } from '../../tools/embedded-postgres/server.mjs'
import { onlyRoot, query, socketFolderOf, startIn, temporaryFolder, tool } from './embedded.ts'

/** Somebody whose files are not the database's. */
const OTHER = 1

/** A folder that the database's user can get into, and in it one of somebody's, with a file. */
async function withVictim(t: Test): Promise<{ folder: string; victim: string; state: () => Promise<unknown> }> {
  const base = await temporaryFolder(t)
  const [folder, victim] = [path.join(base, 'pg'), path.join(base, 'victim')]
  await mkdir(victim)
  const file = path.join(victim, 'accounts')
  await writeFile(file, '1\nroot')
  for (const open of [base, victim]) await chmod(open, 0o755)
  await chmod(file, 0o644)
  const state = async () => {
    const facts = async (name: string) => {
      const { uid, gid, mode } = await lstat(name)
      return { uid, gid, mode }
    }
    return [await facts(victim), await facts(file), await readFile(file, 'utf8'), await readdir(victim)]
  }
  return { folder, victim, state }
}

const asError = (error: Error) => error

t.test('what lies in the place of the folder and is not ours is refused by name, and stays as it is', async (t) => {
  const wrong: Record<string, [make: (folder: string, victim: string) => Promise<unknown>, says: RegExp]> = {
    'a link to a folder': [(folder, victim) => symlink(victim, folder), /leads to a folder|holds what is not/],
    'a link to an open folder without anything in it': [
      async (folder, victim) => {
        await mkdir(path.join(victim, 'empty'))
        await symlink(path.join(victim, 'empty'), folder)
      },
      /leads to a folder|others may enter it/
    ],
    'a link to a file': [(folder, victim) => symlink(path.join(victim, 'accounts'), folder), /link to no folder/],
    'a link to nothing': [(folder) => symlink('nowhere', folder), /link to no folder/],
    'a file': [(folder) => writeFile(folder, 'text'), /is no folder/],
    'a folder with something else in it': [
      async (folder) => {
        await mkdir(folder)
        await writeFile(path.join(folder, 'thesis.txt'), 'text')
      },
      /holds what is not of a database \(thesis\.txt\)/
    ]
  }
  for (const [name, [make, says]] of Object.entries(wrong)) {
    const { folder, victim, state } = await withVictim(t)
    await make(folder, victim)
    const before = [await state(), (await lstat(folder)).mode]
    const { message } = await startPostgres({ folder, durable: false }).then(() => ({ message: 'started' }), asError)
    t.match(message, says, name)
    t.match(message, /^\/.*\/pg is meant for the database, but .* set DATA_DIR to a folder that is yours alone\.$/)
    t.strictSame([await state(), (await lstat(folder)).mode], before, `${name} stays as it is`)
  }
})

t.test('a folder of another user is refused to who is not root', onlyRoot, async (t) => {
  const { folder } = await withVictim(t)
  await mkdir(folder, { mode: 0o700 })
  // Where that user can read it.
  const copy = path.join(path.dirname(folder), 'data-folder.mjs')
  await cp(path.join(tool, 'data-folder.mjs'), copy)
  const code = `import { takeFolder } from ${JSON.stringify(copy)}
    await takeFolder(${JSON.stringify(folder)}).catch(({ message }) => console.log(message))`
  const account = { name: 'another', uid: OTHER, gid: OTHER }
  const said = await runAs(process.execPath, ['--input-type=module', '-e', code], { account })
  t.match(said, `${folder} is meant for the database, but belongs to another user (0).`)
})

t.test('a link to a database is followed, and nothing of it changed', async (t) => {
  const base = await temporaryFolder(t)
  await chmod(base, 0o755)
  const [folder, moved] = [path.join(base, 'pg'), path.join(base, 'elsewhere')]
  const first = await startPostgres({ folder, durable: false })
  await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer')
  await first.stop()
  await rename(folder, moved)
  await symlink(moved, folder)
  const { uid, mode } = await stat(moved)
  const second = await startIn(t, folder)
  t.same(await query(second.url, 'SELECT answer FROM kept'), [[42]])
  t.equal(socketFolderOf(second.url), moved)
  t.match(await stat(moved), { uid, mode })
})

t.test('beside a database there may be other things', async (t) => {
  const folder = await temporaryFolder(t)
  await (await startPostgres({ folder, durable: false })).stop()
  await writeFile(path.join(folder, 'dump.sql'), '')
  const again = await startIn(t, folder)
  t.same(await query(again.url, 'SELECT 1'), [[1]])
})

t.test('in a folder of another user it is that user who runs it and owns all of it', onlyRoot, async (t) => {
  const folder = await temporaryFolder(t)
  await chown(folder, OTHER, OTHER)
  const server = await startIn(t, folder)
  t.same(await query(server.url, 'SELECT 1'), [[1]])
  for (const name of ['', 'data', 'password', 'server.log']) {
    t.equal((await stat(path.join(folder, name))).uid, OTHER, name || 'the folder')
  }
})

t.test('a database in a folder that root took back is run by who made it', onlyRoot, async (t) => {
  const folder = await temporaryFolder(t)
  await (await startPostgres({ folder, durable: false })).stop()
  const { uid } = await stat(path.join(folder, 'data'))
  await chown(folder, 0, 0)
  const server = await startIn(t, folder)
  t.same(await query(server.url, 'SELECT 1'), [[1]])
  t.equal((await stat(folder)).uid, uid)
})

t.test('a link that the database’s user planted leads root nowhere', onlyRoot, async (t) => {
  for (const name of ['password', 'password.half', 'server.log', 'starter', 'data/postmaster.pid']) {
    const { folder, victim, state } = await withVictim(t)
    const file = path.join(victim, 'accounts')
    if (name.startsWith('data/')) await (await startPostgres({ folder, durable: false })).stop()
    else await mkdir(folder, { mode: 0o700 })
    await symlink(file, path.join(folder, name))
    const before = await state()
    const server = await startPostgres({ folder, durable: false }).catch(asError)
    if (!(server instanceof Error)) await server.stop()
    t.strictSame(await state(), before, name)
  }
})
