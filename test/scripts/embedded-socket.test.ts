// The server listens on a Unix socket alone, where nobody else can connect, and nobody else's listener is taken for it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import net, { type AddressInfo } from 'node:net'
import path from 'node:path'
import pg from 'pg'
import t, { type Test } from 'tap'
import { freePort } from '../../scripts/free-port.mjs'
import { findBinaries } from '../../tools/embedded-postgres/binaries.mjs'
import { runAs } from '../../tools/embedded-postgres/run-as.mjs'
import { runningPostgres, startPostgres } from '../../tools/embedded-postgres/server.mjs'
import {
  forgetStarter,
  isRoot,
  killAndWait,
  onlyRoot,
  postmasterOf,
  query,
  socketFolderOf,
  startIn,
  temporaryFolder
} from './embedded.ts'

const SOCKET = '.s.PGSQL.5432'

t.test('it listens on no network, and nobody else reaches its socket', async (t) => {
  const server = await startIn(t)
  const { folder } = server
  t.same(await query(server.url, "SELECT current_setting('listen_addresses')"), [['']])
  t.equal(socketFolderOf(server.url), folder)
  t.equal((await stat(folder)).mode & 0o777, 0o700)
  t.ok((await stat(path.join(folder, SOCKET))).isSocket())
  const { url, serviceUrl, chat } = server
  t.same(await runningPostgres(folder), { url, serviceUrl, chat })
  const passwords = [url, serviceUrl, chat.url, chat.serviceUrl].map((one) => new URL(one).password)
  t.equal(new Set(passwords).size, 4)
})

t.test('another user cannot even see the socket', onlyRoot, async (t) => {
  const server = await startIn(t)
  const { folder } = server
  const account = { name: 'another', uid: 1, gid: 1 }
  await t.rejects(runAs('test', ['-e', path.join(folder, SOCKET)], { account }))
  await t.resolves(runAs('test', ['-d', folder], { account }), 'though it sees the folder')
})

t.test('a path that a shell and PostgreSQL would read in parts is one folder', async (t) => {
  const folder = path.join(await temporaryFolder(t), "it's, a fólder; of 2")
  await chmod(path.dirname(folder), 0o755)
  const server = await startIn(t, folder)
  t.equal(socketFolderOf(server.url), folder)
  t.same(await query(server.url, 'SELECT 1'), [[1]])
})

t.test('where the path is too long for a socket, it lies in a temporary folder of its own', async (t) => {
  // Fewer than 107 letters, but more bytes.
  const folder = path.join(await temporaryFolder(t), 'ä'.repeat(40), 'pg')
  await mkdir(path.dirname(folder))
  for (const open of [path.dirname(folder), path.dirname(path.dirname(folder))]) await chmod(open, 0o755)
  const first = await startPostgres({ folder, durable: false })
  const temporary = socketFolderOf(first.url)
  t.notMatch(temporary, folder)
  const { uid, mode } = await stat(temporary)
  t.same([uid, mode & 0o777], [(await stat(path.join(folder, 'data'))).uid, 0o700])
  t.same(await query(first.url, 'SELECT 1'), [[1]])
  t.equal((await runningPostgres(folder))?.url, first.url, 'npm run admin finds it')

  await killAndWait(await postmasterOf(folder))
  await forgetStarter(folder)
  const second = await startPostgres({ folder, durable: false })
  t.not(socketFolderOf(second.url), temporary)
  t.notOk(existsSync(temporary), 'what the killed server left is gone')
  t.same(await query(second.url, 'SELECT 1'), [[1]])
  await second.stop()
  t.notOk(existsSync(socketFolderOf(second.url)), 'and what the stopped one had')
})

t.test('a server whose socket was cleaned away is begun anew', async (t) => {
  const folder = await temporaryFolder(t)
  await startPostgres({ folder, durable: false })
  await forgetStarter(folder)
  const pid = await postmasterOf(folder)
  await runAs('rm', [path.join(folder, SOCKET)])
  await t.rejects(runningPostgres(folder), { message: /its socket is gone: stop npm start/ })
  const server = await startIn(t, folder)
  t.not(await postmasterOf(folder), pid)
  t.same(await query(server.url, 'SELECT 1'), [[1]])
})

t.test('a server that an earlier version left on TCP is begun anew, with its data', async (t) => {
  const folder = await temporaryFolder(t)
  const first = await startPostgres({ folder, durable: false })
  await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer')
  await first.stop()
  const { uid, gid } = await stat(path.join(folder, 'data'))
  const account = isRoot ? { name: 'theirs', uid, gid } : undefined
  const flags = `-p ${await freePort()} -c listen_addresses=127.0.0.1 -c unix_socket_directories=`
  const start = [
    '-D',
    path.join(folder, 'data'),
    '-w',
    '-s',
    '-l',
    path.join(folder, 'server.log'),
    '-o',
    flags,
    'start'
  ]
  await runAs(path.join(await findBinaries(), 'bin/pg_ctl'), start, { account, cwd: folder })
  await t.rejects(runningPostgres(folder), { message: /its socket is gone: stop npm start/ })
  const second = await startIn(t, folder)
  t.same(await query(second.url, 'SELECT answer FROM kept'), [[42]])
})

/** Listens like a PostgreSQL that asks for the password itself, and keeps what it is sent. */
async function listenAsThief(t: Test, where: { port: number; host: string } | { path: string }) {
  const heard: Buffer[] = []
  const server = net.createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      heard.push(bytes)
      const asksForTls = bytes.length === 8
      socket.write(asksForTls ? 'N' : Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]))
    })
  })
  server.listen(where)
  await once(server, 'listening')
  t.teardown(() => server.close())
  return { heard, address: server.address() as AddressInfo }
}

t.test('nobody else’s listener gets a connection, whatever a stale postmaster.pid says', async (t) => {
  for (const place of ['a port', 'a folder that others may enter', 'a folder of another user']) {
    if (place.endsWith('another user') && !isRoot) continue
    const folder = await temporaryFolder(t)
    const data = path.join(folder, 'data')
    const first = await startPostgres({ folder, durable: false })
    const lines = (await readFile(path.join(data, 'postmaster.pid'), 'utf8')).split('\n')
    await first.stop()

    const thieves = await temporaryFolder(t)
    if (place !== 'a folder of another user') await chmod(thieves, 0o755)
    const { heard, address } = await listenAsThief(
      t,
      place === 'a port' ? { port: 0, host: '127.0.0.1' } : { path: path.join(thieves, SOCKET) }
    )
    // A process of the database's user that has got the number of the dead server, and looks like it.
    const { uid, gid } = await stat(data)
    const child = spawn('sleep', ['120'], { argv0: `/postgres -D ${data} `, ...(isRoot && { uid, gid }) })
    t.teardown(() => child.kill('SIGKILL'))
    lines[0] = String(child.pid)
    if (place === 'a port') [lines[3], lines[4]] = [String(address.port), '']
    else lines[4] = thieves
    lines[7] = 'ready   '
    await writeFile(path.join(data, 'postmaster.pid'), lines.join('\n'))

    const server = await startIn(t, folder)
    t.equal(socketFolderOf(server.url), folder)
    const client = new pg.Client(server.url)
    await client.connect()
    await client.end()
    t.same(heard, [], `${place} heard nothing`)
  }
})
