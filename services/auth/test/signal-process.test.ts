import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { openDatabase } from '@latchkey/database/pool'
import { addressOf, type Child, startChild } from '@latchkey/testing/child'
import { createDatabase, serviceUrl } from '@latchkey/testing/database'
import t, { type Test } from 'tap'
import { freePort } from '../../../scripts/free-port.mjs'
import { keysDir, rsaPem } from './keys.ts'
import { ACCEPT, kindOf, type ReceivedSet, startReceiver, verifySet } from './signal-receiver.ts'

// Two services as processes, and receivers that know nothing but the metadata and the RFCs.

const SERVER = new URL('../dist/server.js', import.meta.url)
const ADMIN = fileURLToPath(new URL('../dist/admin.js', import.meta.url))
const pems = { access: await rsaPem(), refresh: await rsaPem() }

async function prepare(t: Test) {
  const dir = keysDir(t, pems)
  const DATABASE_URL = await serviceUrl(await createDatabase(t))
  const database = openDatabase({ DATABASE_URL, DATABASE_POOL_SIZE: 2, ANSWER_TIMEOUT: 60 }, () => {})
  t.teardown(() => database.close())
  const port = await freePort()
  const ISSUER = `http://127.0.0.1:${port}`
  const env = {
    ISSUER,
    AUDIENCE: 'latchkey',
    BCRYPT_COST: '10',
    KEYS_DIR: dir,
    DATABASE_URL,
    RATE_LIMIT_PER_MINUTE: '0'
  }
  const start = (PORT: number) => startChild(t, SERVER, { ...env, PORT: String(PORT) })
  const admin = async (...words: string[]) => {
    const { stdout } = await promisify(execFile)(process.execPath, [ADMIN, ...words], { env })
    return stdout
  }
  /** Records what becomes one SET each, as the service does; the services number them. */
  const enable = (from: number, to: number) =>
    database.query(
      `INSERT INTO audit_records (id, event, outcome, actor_kind, target_kind, target_id, detail, personal_hash)
       SELECT gen_random_uuid(), 'user_enabled', 'done', 'operator', 'user', n.i::text, '{}', sha256('')
         FROM generate_series($1::integer, $2::integer) AS n (i) ORDER BY n.i`,
      [from, to]
    )
  return { ISSUER, port, start, admin, enable }
}

/** The keys of a transmitter, as a receiver finds them: by the metadata of its issuer (SSF 1.0 §7.2). */
async function keysOf(issuer: string) {
  const read = async <T>(url: string) => (await fetch(url)).json() as T
  const found = await read<Record<'issuer' | 'jwks_uri', string>>(`${issuer}/.well-known/ssf-configuration`)
  if (found.issuer !== issuer) throw new Error('the issuer of the metadata is another one')
  return (await read<{ keys: Record<string, string>[] }>(found.jwks_uri)).keys
}

const subjectOf = ({ claims }: ReceivedSet) => Number(claims.sub_id['sub'])

/** The children that have sent something, the first one first. */
async function whoSends(children: readonly Child[]): Promise<Child> {
  return Promise.any(children.map((child) => child.find(/"signal_sent"/).then(() => child)))
}

/** Asserts that each came, and for the first time in order; each with one id alone. */
function inOrder(t: Test, sets: readonly ReceivedSet[], last: number, about: string): void {
  const firsts = new Map<string, number>()
  for (const set of sets) if (!firsts.has(set.claims.jti)) firsts.set(set.claims.jti, subjectOf(set))
  t.strictSame(
    [...firsts.values()],
    Array.from({ length: last }, (_, i) => i + 1),
    about
  )
}

t.test('what is killed, frozen or away while it is sent is sent once it can be, in order', async (t) => {
  const { ISSUER, port, start, admin, enable } = await prepare(t)
  const to = await startReceiver(t)
  // So that there is time to be cut.
  to.answer = (pushed, reply) => void setTimeout(() => ACCEPT(pushed, reply), 10)
  const children = [start(port), start(0)]
  await Promise.all(children.map(addressOf))
  t.match(await admin('stream', 'add', to.url, '--push'), /was added/)
  await enable(1, 150)
  await to.came(20)
  const killed = await whoSends(children)
  killed.process.kill('SIGKILL')
  await killed.ended
  const [survivor] = children.filter((child) => child !== killed)
  if (!survivor) throw new Error('nobody is left')

  await whoSends([survivor])
  const third = start(survivor === children[0] ? 0 : port)
  await addressOf(third)
  survivor.process.kill('SIGSTOP')
  await enable(151, 300)
  await whoSends([third])
  survivor.process.kill('SIGCONT')
  const all = async () => {
    const keys = await keysOf(ISSUER)
    return to.pushed.map(({ body }) => verifySet(body, keys))
  }
  for (let sets = await all(); sets.length === 0 || subjectOf(sets.at(-1) as ReceivedSet) < 300; sets = await all()) {
    await to.came(to.pushed.length + 1)
  }
  const sets = await all()
  t.strictSame([...new Set(sets.map(kindOf))], ['account-enabled'])
  inOrder(t, sets, 300, 'each came, in order, whoever was killed or frozen')
  t.comment(`${sets.length - 300} came again`)

  await to.close()
  await enable(301, 310)
  await Promise.any([survivor, third].map((child) => child.find(/"signal_retry".*"ECONNREFUSED"/)))
  const back = await startReceiver(t, to.port)
  await back.came(10)
  const keys = await keysOf(ISSUER)
  t.strictSame(
    back.pushed.map(({ body }) => subjectOf(verifySet(body, keys))),
    Array.from({ length: 10 }, (_, i) => 301 + i),
    'a receiver that was away gets what it has missed'
  )
  t.match(await admin('stream', 'list'), /last taken at 20/)
})

t.test('a receiver polls any instance, and acknowledges at another; its waiting ends with the service', async (t) => {
  const { ISSUER, port, start, admin, enable } = await prepare(t)
  const children = [start(port), start(0)]
  const [first = '', second = ''] = await Promise.all(children.map(addressOf))
  const added = await admin('stream', 'add', 'https://app.example.com', '--poll')
  const [, path = '', token = ''] = /POST \S+(\/signals\/\S+) .*\n(\S+)\n$/.exec(added) ?? []
  t.match(added, `POST ${ISSUER}/signals/`)
  const keys = await keysOf(ISSUER)
  const poll = async (address: string, body: object) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const answer = await fetch(`${address}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    if (answer.status !== 200) throw new Error(`${answer.status}`)
    const { sets } = (await answer.json()) as { sets: Record<string, string> }
    return Object.values(sets).map((jws) => verifySet(jws, keys))
  }
  const [set] = await Promise.all([poll(first, {}), enable(1, 1)]).then(([sets]) => sets)
  t.equal(set && subjectOf(set), 1, 'a poll that waits gets what is recorded meanwhile')
  const jti = String(set?.claims.jti)
  t.strictSame(
    (await poll(second, { returnImmediately: true })).map(({ claims }) => claims.jti),
    [jti]
  )
  t.strictSame(await poll(second, { returnImmediately: true, ack: [jti] }), [])
  t.strictSame(await poll(first, { returnImmediately: true }), [])
  const waiting = children.map((_, i) => poll(i === 0 ? first : second, {}))
  await untilRead()
  for (const child of children) child.process.kill('SIGTERM')
  t.strictSame(await Promise.all(waiting), [[], []])
  for (const { ended } of children) t.equal((await ended).code, 0)

  // A poll is under way when the service has read it; the kernel has it when this one is answered.
  async function untilRead() {
    for (const address of [first, second]) await fetch(`${address}/healthz`)
  }
})
