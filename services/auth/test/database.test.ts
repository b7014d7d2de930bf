import dns from 'node:dns'
import net, { type AddressInfo, type Server, type Socket } from 'node:net'
import { type Database, openDatabase } from '@latchkey/database/pool'
import { between } from '@latchkey/testing/between'
import { addressOf, createDatabase, databaseUrl, runStatement } from '@latchkey/testing/database'
import t, { type Test } from 'tap'

const url = await createDatabase(t)
await runStatement(url, 'CREATE TABLE notes (id bigint PRIMARY KEY)')

function open(
  t: Test,
  settings: { url?: string; size?: number; timeout?: number } = {}
): Database<string> & { lost: Error[] } {
  const lost: Error[] = []
  const database = openDatabase(
    {
      DATABASE_URL: settings.url ?? url,
      DATABASE_POOL_SIZE: settings.size ?? 2,
      ANSWER_TIMEOUT: settings.timeout ?? 10
    },
    (error) => lost.push(error)
  )
  t.teardown(() => database.close())
  return { ...database, lost }
}

const UNAVAILABLE = { code: 'unavailable', message: /^database: \S/, options: { retryAfter: 1 } }

// Listens on a port of its own until the test ends; returns a URL with that port in the place of the database's.
async function listen(t: Test, server: Server): Promise<string> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket.on('error', () => {})))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const there = new URL(url)
  there.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return there.href
}

t.test('statements have rows, and counters are numbers', async (t) => {
  const database = open(t)
  const [row] = await database.query('SELECT $1::int AS a, 9007199254740991::bigint AS b', [1])
  t.strictSame(row, { a: 1, b: 9007199254740991 })
})

t.test('times are read whatever style the database has', async (t) => {
  const own = await createDatabase(t)
  await runStatement(own, `ALTER DATABASE ${new URL(own).pathname.slice(1)} SET DateStyle = 'SQL, DMY'`)
  const [row] = await open(t, { url: own }).query("SELECT '2026-11-22T12:00:00Z'::timestamptz AS time")
  t.strictSame(row, { time: new Date('2026-11-22T12:00:00Z') })
})

t.test('a schema that is not there, or not yet, is unavailable', async (t) => {
  const database = open(t)
  await t.rejects(database.query('SELECT * FROM nowhere'), UNAVAILABLE)
  await t.rejects(database.query('SELECT nothing FROM notes'), UNAVAILABLE)
  await t.rejects(database.query('CREATE TABLE nowhere.notes ()'), UNAVAILABLE)
})

t.test('a transaction stays when its work is done, and is undone when it throws', async (t) => {
  const database = open(t, { size: 1 })
  const ids = async () => (await database.query<{ id: number }>('SELECT id FROM notes ORDER BY id')).map(({ id }) => id)
  t.equal(
    await database.transaction(async (connection) => {
      await connection.query('INSERT INTO notes VALUES (1)')
      return 'done'
    }),
    'done'
  )
  const failure = new Error('changed my mind')
  const undone = database.transaction(async (connection) => {
    await connection.query('INSERT INTO notes VALUES (2)')
    throw failure
  })
  await t.rejects(undone, failure)
  const broken = database.transaction(async (connection) => {
    await connection.query('INSERT INTO notes VALUES (3)')
    await connection.query('nonsense')
  })
  await t.rejects(broken, { code: '42601' })
  t.strictSame(await ids(), [1], 'and the one connection is good for more')
})

t.test('what is our fault stays what it is', async (t) => {
  const database = open(t)
  await database.query('INSERT INTO notes VALUES (10)')
  await t.rejects(database.query('INSERT INTO notes VALUES (10)'), { code: '23505', constraint: 'notes_pkey' })
  await t.rejects(database.query('nonsense'), { code: '42601' })
  await t.rejects(database.query('SELECT 1 / 0'), { code: '22012' })
})

t.test('a database that cannot be reached is unavailable', async (t) => {
  const closed = net.createServer()
  const gone = await listen(t, closed)
  await new Promise((resolve) => closed.close(resolve))
  const nobody = new URL(url)
  nobody.username = 'nobody_here'
  const places = {
    'nobody listens': gone,
    'it never answers': await listen(t, net.createServer()),
    'it hangs up': await listen(
      t,
      net.createServer((socket) => socket.destroy())
    ),
    'no such database': databaseUrl(url, 'not_there'),
    'no such user': nobody.href
  }
  for (const [name, url] of Object.entries(places)) {
    const database = open(t, { url, timeout: 0.3 })
    await t.rejects(database.query('SELECT 1'), UNAVAILABLE, name)
    await t.rejects(
      database.transaction(async () => {}),
      UNAVAILABLE,
      `${name}, for a transaction`
    )
  }
})

t.test('a name with several addresses that all refuse says so of each', async (t) => {
  const closed = net.createServer()
  const { port } = new URL(await listen(t, closed))
  await new Promise((resolve) => closed.close(resolve))
  t.intercept(dns, 'lookup', {
    value: (_name: string, _options: object, found: (error: null, addresses: object[]) => void) =>
      found(
        null,
        ['127.0.0.2', '127.0.0.3'].map((address) => ({ address, family: 4 }))
      )
  })
  const message = `database: connect ECONNREFUSED 127.0.0.2:${port}; connect ECONNREFUSED 127.0.0.3:${port}`
  const database = open(t, { url: `postgres://ada:secret@several.example:${port}/latchkey` })
  await t.rejects(database.query('SELECT 1'), { ...UNAVAILABLE, message })
})

t.test('what the server cannot do now is unavailable, whatever name it gives that', async (t) => {
  const database = open(t)
  // A full disk, a quota, a read-only disk, a transaction that lay idle, a server that goes down, a disk that fails.
  for (const state of ['53100', 'XX000', '42501', '25P03', '57P01', '58030']) {
    const raise = `DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '${state}'; END $$`
    await t.rejects(database.query(raise), { ...UNAVAILABLE, cause: { code: state } }, state)
  }
})

t.test('a statement has ANSWER_TIMEOUT, and its connection is good for more', async (t) => {
  const database = open(t, { size: 1, timeout: 1 })
  await t.rejects(database.query('SELECT pg_sleep(60)'), { ...UNAVAILABLE, message: /statement timeout/ })
  const slow = database.transaction((connection) => connection.query('SELECT pg_sleep(60)'))
  await t.rejects(slow, { ...UNAVAILABLE, message: /statement timeout/ })
  t.strictSame(await database.query('SELECT 1 AS one'), [{ one: 1 }])
})

t.test('whoever finds no free connection within ANSWER_TIMEOUT is told so', async (t) => {
  const database = open(t, { size: 1, timeout: 0.2 })
  await database.transaction(async (connection) => {
    const others = [database.query('SELECT 1'), database.transaction(async () => {})]
    const refused = (await Promise.allSettled(others)) as PromiseRejectedResult[]
    for (const { reason } of refused) t.match(reason, UNAVAILABLE)
    t.strictSame(await connection.query('SELECT 1 AS one'), [{ one: 1 }], 'while the one who has it goes on')
  })
  t.strictSame(await database.query('SELECT 1 AS one'), [{ one: 1 }])
})

t.test('a server that falls silent holds nobody longer than a moment more', async (t) => {
  let silent = false
  const proxy = net.createServer((socket) => {
    const there = net.connect(addressOf(url))
    socket.on('data', (bytes) => silent || there.write(bytes)).on('close', () => there.destroy())
    there.on('data', (bytes) => silent || socket.write(bytes)).on('error', () => socket.destroy())
  })
  const database = open(t, { url: await listen(t, proxy), size: 1, timeout: 1 })
  const one = () => database.query('SELECT 1 AS one')
  await one()
  const begun = Date.now()
  const interrupted = database.transaction(async (connection) => {
    silent = true
    await connection.query('SELECT 1')
  })
  await t.rejects(interrupted, UNAVAILABLE)
  // One wait of eight tenths: to roll back as well would take another.
  between(t, Date.now() - begun, { most: 1500 }, 'milliseconds')
  silent = false
  t.strictSame(await one(), [{ one: 1 }], 'and the next one finds it again')
  silent = true
  await t.rejects(one(), UNAVAILABLE)
  await t.rejects(one(), UNAVAILABLE, 'with a new connection')
  silent = false
  t.strictSame(await one(), [{ one: 1 }])
})

t.test('connections that are cut are replaced', async (t) => {
  const database = open(t, { size: 1 })
  const other = open(t)
  const cut = (pid: unknown) => other.query('SELECT pg_terminate_backend($1)', [pid])
  const pidOf = async (on: Pick<Database<string>, 'query'>) =>
    (await on.query<{ pid: number }>('SELECT pg_backend_pid() AS pid'))[0]?.pid
  const first = await pidOf(database)
  await database.transaction(async (connection) => connection.query('INSERT INTO notes VALUES (20)'))
  const interrupted = database.transaction(async (connection) => {
    await connection.query('INSERT INTO notes VALUES (21)')
    await cut(await pidOf(connection))
    await connection.query('INSERT INTO notes VALUES (22)')
  })
  await t.rejects(interrupted, UNAVAILABLE)
  t.strictSame(await database.query('SELECT id FROM notes WHERE id >= 20'), [{ id: 20 }])
  const second = await pidOf(database)
  t.not(second, first, 'another connection')
  await cut(second)
  while (database.lost.length === 0) await other.query('SELECT 1')
  t.match(database.lost, [{ message: /terminating connection|Connection terminated/ }])
  t.strictSame(await database.query('SELECT 1 AS one'), [{ one: 1 }])
})

t.test('a server that takes no writes is unavailable for them', async (t) => {
  const mine = await createDatabase(t)
  const name = new URL(mine).pathname.slice(1)
  await runStatement(mine, `ALTER DATABASE ${name} SET default_transaction_read_only = on`)
  const database = open(t, { url: mine })
  await t.rejects(database.query("UPDATE users SET username = ''"), { ...UNAVAILABLE, message: /read-only/ })
  t.strictSame(await database.query('SELECT id FROM users'), [])
})
