// What docs/database.md says of TLS, on a PostgreSQL that takes nothing else.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase } from '@latchkey/database/pool'
import { faultOfDatabaseUrl } from '@latchkey/database/url'
import t from 'tap'
import { freePort } from '../../../scripts/free-port.mjs'
import { prepareCluster } from '../../../tools/embedded-postgres/cluster.mjs'
import { choosePlace } from '../../../tools/embedded-postgres/place.mjs'
import { migrate } from '../src/schema.ts'

const wanted = await mkdtemp(join(tmpdir(), 'latchkey-tls-'))
const place = await choosePlace(wanted)
const password = await prepareCluster(place, { durable: false })
const { data, account } = place
t.teardown(() => Promise.all([...new Set([wanted, place.folder])].map((folder) => rm(folder, { recursive: true }))))

// An authority of the provider's own, which no system knows, and the server's certificate, for the name localhost alone.
const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: data, stdio: 'pipe' })
const key = ['-newkey', 'rsa:2048', '-nodes', '-days', '2']
await writeFile(join(data, 'ext'), 'subjectAltName = DNS:localhost\n')
openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=an authority')
openssl('req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost')
const issue = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'ext', '-out', 'server.crt']
openssl('x509', '-req', '-in', 'server.csr', '-days', '2', ...issue)
await writeFile(join(data, 'pg_hba.conf'), 'hostssl all all all scram-sha-256\n')
if (account) await chown(join(data, 'server.key'), account.uid, account.gid)
if (account) await chown(join(data, 'server.crt'), account.uid, account.gid)

const port = await freePort()
await appendFile(join(data, 'postgresql.conf'), `ssl = on\nport = ${port}\nunix_socket_directories = ''\nfsync = off\n`)
const server = spawn(join(place.binaries, 'bin/postgres'), ['-D', data], {
  uid: account?.uid,
  gid: account?.gid,
  cwd: '/',
  env: { LC_ALL: 'C' },
  stdio: 'ignore'
})
t.teardown(async () => {
  server.kill('SIGINT')
  await once(server, 'exit')
})

const CA = join(data, 'ca.crt')
const urlOf = (host: string, parameters: string) =>
  `postgres://latchkey:${password}@${host}:${port}/postgres${parameters && `?${parameters}`}`

/** What comes of a statement: whether it went by TLS, or why it did not. */
async function ask(host: string, parameters: string): Promise<string> {
  const DATABASE_URL = urlOf(host, parameters)
  const fault = faultOfDatabaseUrl(DATABASE_URL)
  if (fault) return fault
  const database = openDatabase({ DATABASE_URL, DATABASE_POOL_SIZE: 1, ANSWER_TIMEOUT: 10 }, () => {})
  try {
    const [row] = await database.query<{ ssl: boolean }>('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()')
    return row?.ssl ? 'TLS' : 'plain'
  } catch (error) {
    return (error as Error).message
  } finally {
    await database.close()
  }
}

while (/ECONNREFUSED|starting up/.test(await ask('localhost', 'sslmode=no-verify'))) await sleep(50)

const OUTCOMES: [host: string, parameters: string, outcome: RegExp][] = [
  ['localhost', '', /no encryption/],
  ['localhost', 'sslmode=disable', /no encryption/],
  ['localhost', 'sslmode=require', /unable to verify the first certificate/],
  ['localhost', 'sslmode=verify-full', /unable to verify the first certificate/],
  ['localhost', `sslmode=verify-full&sslrootcert=${CA}`, /^TLS$/],
  ['localhost', `sslmode=require&sslrootcert=${CA}`, /^TLS$/],
  ['127.0.0.1', `sslmode=verify-full&sslrootcert=${CA}`, /altnames|IP: 127\.0\.0\.1/],
  ['127.0.0.1', `sslmode=require&sslrootcert=${CA}`, /altnames|IP: 127\.0\.0\.1/],
  ['127.0.0.1', `sslmode=verify-ca&sslrootcert=${CA}&uselibpqcompat=true`, /^TLS$/],
  ['127.0.0.1', 'sslmode=require&uselibpqcompat=true', /^TLS$/],
  ['127.0.0.1', 'sslmode=no-verify', /^TLS$/],
  ['localhost', `sslmode=verify-full&sslnegotiation=direct&sslrootcert=${CA}`, /^TLS$/],
  ['localhost', `sslmode=verify-full&sslrootcert=${data}/none.crt`, /sslrootcert .* cannot be read/]
]

for (const [host, parameters, outcome] of OUTCOMES) {
  t.test(`${host} with ${parameters.replace(data, '') || 'nothing'}`, async (t) => {
    t.match(await ask(host, parameters), outcome)
  })
}

t.test('migrations and their service go by TLS as well', async (t) => {
  const url = urlOf('localhost', `sslmode=verify-full&sslrootcert=${CA}`)
  const service = Object.assign(new URL(url), { username: 'service', password: 'x' })
  await migrate({ url, serviceUrl: service.href })
  const settings = { DATABASE_URL: service.href, DATABASE_POOL_SIZE: 1, ANSWER_TIMEOUT: 10 }
  const database = openDatabase(settings, () => {})
  t.teardown(() => database.close())
  t.strictSame(await database.query('SELECT id FROM users'), [])
})
