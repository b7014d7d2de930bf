import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chown, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { between } from '@latchkey/testing/between'
import pg from 'pg'
import t from 'tap'
import { identify } from '../../tools/embedded-postgres/process-identity.mjs'
import { startPostgres } from '../../tools/embedded-postgres/server.mjs'
import {
  forgetStarter,
  isRoot,
  killAndWait,
  onlyRoot,
  postmasterOf,
  query,
  socketFolderOf,
  starter,
  startIn,
  temporaryFolder
} from './embedded.ts'

t.test('a cluster', async (t) => {
  const first = await startIn(t)
  const { folder } = first
  t.same(await query(first.url, `SELECT lower('ÄÖ'), current_setting('timezone')`), [['äö', 'UTC']])
  await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer')

  t.test('demands its password', async (t) => {
    const url = new URL(first.url)
    between(t, url.password.length, { least: 32 })
    t.equal(socketFolderOf(first.url), folder)
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
    await t.rejects(query(first.url, 'SELECT 1'), { code: 'ENOENT' })
    const second = await startPostgres({ folder, durable: false })
    t.equal(second.folder, folder)
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
    const left = await postmasterOf(folder)
    const next = await startPostgres({ folder })
    t.equal(next.url, server['url'])
    t.not(await postmasterOf(folder), left, 'begun anew')
    t.same(
      await query(next.url, `SELECT answer, current_setting('fsync') FROM kept`),
      [[42, 'on']],
      'as durable as asked'
    )
    await next.stop()
  })

  t.test('does not wait for the clients of a server that is just ending', async (t) => {
    const { url } = await startPostgres({ folder, durable: false })
    await forgetStarter(folder)
    const last = new pg.Client(url).on('error', () => {})
    await last.connect()
    const cut = once(last, 'error')
    // Ends once its clients have gone.
    process.kill(await postmasterOf(folder), 'SIGTERM')
    const server = await startPostgres({ folder, durable: false })
    t.match(await cut, [{ code: '57P01' }])
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
      for (const file of [pidFile, path.join(folder, '.s.PGSQL.5432.lock')])
        await writeFile(file, left.replace(/^\d+/, pid))

      const server = await startPostgres({ folder, durable: false })
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
  t.match(await identify(pid), { began: /\d/, user: process.getuid?.(), command: 'sleep 120 ' })
  process.kill(pid)
  for (const end = Date.now() + 5000; (await identify(pid)) !== undefined && Date.now() < end; ) await sleep(10)
  t.equal(process.kill(pid, 0), true, 'it is still there')
  t.equal(await identify(pid), undefined)
})

t.test('a folder that was left half-made is made anew', async (t) => {
  const folder = await temporaryFolder(t)
  await mkdir(path.join(folder, 'data.123.half/base'), { recursive: true })
  await writeFile(path.join(folder, 'password'), 'never used')
  for (const made of ['', 'data.123.half', 'data.123.half/base', 'password']) {
    if (isRoot) await chown(path.join(folder, made), 1, 1)
  }
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
