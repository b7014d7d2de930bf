import { execFile } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { cp, mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { between } from '@latchkey/testing/between'
import { createDatabase } from '@latchkey/testing/database'
import t, { type Test } from 'tap'
import { freePort } from '../scripts/free-port.mjs'
import { runScript, type Service, service } from './pair.ts'

/** In seconds. Within KEY_LEAD the copy is made (1), seen by its instance (5), and fetched by its verifiers (1). */
const KEY_LEAD = 7
const SETTINGS = {
  PATH: process.env.PATH ?? '',
  AUDIENCE: 'latchkey',
  ACCESS_TOKEN_TTL: '2s',
  CLOCK_LEEWAY: '1s',
  BCRYPT_COST: '10',
  KEY_LEAD: `${KEY_LEAD}s`,
  JWKS_PUBLISH_AGE: '1s',
  JWKS_MIN_AGE: '1s',
  // Whoever signs with a key that is not yet published everywhere is found out: nobody fetches for an unknown key.
  JWKS_COOLDOWN: '10m'
}
const ada = { email: 'ada@example.com', username: 'Ada', password: 'correct horse battery' }

t.test('both kinds of keys are rotated three times under load, and no valid token is refused', async (t) => {
  const { auths, resources, keys, copyKeys, env } = await startDeployment(t)
  const load = await startLoad(t, auths, resources)
  const [first, second] = auths
  const idle = await load.login()

  const rotate = async () => {
    for (const kind of ['access', 'refresh']) await runScript('rotate-keys.sh', [kind], { KEYS_DIR: keys })
    first.hangUp()
    // The other instance finds its copy later, by looking every few seconds.
    await sleep(200)
    await copyKeys()
  }
  await rotate()
  await sleep(1000)
  await rotate()
  await sleep(6500)
  await rotate()
  await sleep(5000)

  const listed = (await listKeys(env)).map((line) => line.split(' '))
  for (const kind of ['access', 'refresh'] as const) {
    const signing = listed.find(([of, , , state]) => of === kind && state === 'signs')
    t.equal(signing?.[1], 'current', `the ${kind} key of the third rotation signs`)
    for (const { url } of [first, second]) {
      const pair = await load.login(url)
      t.equal(kidOf(pair[`${kind}_token`]), signing?.[2], `at ${url}`)
    }
  }
  t.equal(listed.length, 10, 'and none is gone')
  for (const { url } of auths) {
    t.equal((await call(`${url}/refresh-token`, idle.refresh_token)).status, 200, 'the oldest refresh token is good')
  }

  while ((await retired(env, 'access')) < 3) await sleep(500)
  const printed = await runScript('rotate-keys.sh', ['access', '--prune'], { ...env, KEYS_DIR: keys })
  t.match(printed, /deleted .*previous-/)
  const left = (await readdir(join(keys, 'access'))).filter(
    (name) => name.includes('previous') && name.includes('private')
  )
  t.equal(left.length, 1, 'the key that signed until now')
  const { greeted, refreshed, refused } = await load.stop()
  t.comment(`${greeted} greetings and ${refreshed} refreshes while keys were rotated`)
  t.same(refused, [])
  between(t, greeted, { least: 201 }, 'greetings')
  between(t, refreshed, { least: 101 }, 'refreshes')
  for (const { output } of auths) t.notMatch(output(), /"level":"(error|fatal)"/)
})

/** Two instances of each service: one auth over the key folder, the other over copies of it, as Kubernetes swaps them. */
async function startDeployment(t: Test) {
  const dir = await mkdtemp(join(tmpdir(), 'latchkey-rotation-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  const [keys, copy] = [join(dir, 'keys'), join(dir, 'copy')]
  let copies = 0
  const copyKeys = async () => {
    copies += 1
    await cp(keys, join(dir, `copy-${copies}`), { recursive: true, preserveTimestamps: false })
    await symlink(`copy-${copies}`, join(dir, 'link'))
    await rename(join(dir, 'link'), copy)
  }
  await runScript('generate-keys.sh', [], { KEYS_DIR: keys })
  await copyKeys()
  const ports = [await freePort(), await freePort(), await freePort(), await freePort()] as const
  const env = {
    ...SETTINGS,
    ISSUER: `http://127.0.0.1:${ports[0]}`,
    DATABASE_URL: await createDatabase(t),
    KEYS_DIR: keys
  }
  const auth = (port: number, folder: string) => service(t, 'auth', { ...env, PORT: String(port), KEYS_DIR: folder })
  const resource = (port: number, from: number) => {
    const JWKS_URL = `http://127.0.0.1:${from}/.well-known/jwks.json`
    return service(t, 'resource', { ...SETTINGS, ISSUER: env.ISSUER, PORT: String(port), JWKS_URL })
  }
  const auths = [auth(ports[0], keys), auth(ports[1], copy)] as const
  const resources = [resource(ports[2], ports[0]), resource(ports[3], ports[1])] as const
  await Promise.all(auths.map(({ start }) => start()))
  await Promise.all(resources.map(({ start }) => start()))
  return { auths, resources, keys, copyKeys, env }
}

async function listKeys(env: Record<string, string>): Promise<string[]> {
  const admin = fileURLToPath(new URL('../services/auth/dist/admin.js', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [admin, 'keys'], { env })
  return stdout.trim().split('\n')
}

/** How many keys of a kind no valid token is signed by any more. */
async function retired(env: Record<string, string>, kind: string): Promise<number> {
  return (await listKeys(env)).filter((line) => line.startsWith(`${kind} `) && line.split(' ')[3] === 'retired').length
}

interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
}

/** Greets with any token that is still valid, at any resource service, and refreshes at any auth service, all the time. */
async function startLoad(t: Test, auths: readonly Service[], resources: readonly Service[]) {
  const refused: string[] = []
  let [greeted, refreshed, over] = [0, 0, false]
  const tokens: { token: string; end: number }[] = []
  const keep = (token: string) => tokens.push({ token, end: partOf(token, 1).exp * 1000 })
  const any = <T>(things: readonly T[]) => things[randomInt(things.length)] as T

  const login = async (url = any(auths).url): Promise<Tokens> => {
    const body = JSON.stringify({ email: ada.email, password: ada.password })
    const answer = await fetch(`${url}/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body
    })
    if (!answer.ok) throw new Error(await answer.text())
    return (await answer.json()) as Tokens
  }
  const greet = async () => {
    while (tokens[0] && tokens[0].end < Date.now() + 500) tokens.shift()
    if (tokens.length === 0) return
    const { token, end } = any(tokens)
    const answer = await call(`${any(resources).url}/greet`, token)
    // On a machine with other work to do a token may expire on its way.
    if (answer.status !== 200 && Date.now() < end)
      refused.push(`greet: ${answer.status} ${kidOf(token)} ${answer.text}`)
    greeted += 1
  }
  const refresher = (opened: Tokens) => {
    let current = opened
    return async () => {
      const answer = await call(`${any(auths).url}/refresh-token`, current.refresh_token)
      if (answer.status !== 200)
        refused.push(`refresh: ${answer.status} ${kidOf(current.refresh_token)} ${answer.text}`)
      else current = JSON.parse(answer.text) as Tokens
      keep(current.access_token)
      refreshed += 1
    }
  }
  const repeat = async (work: () => Promise<void>, pause: number) => {
    for (; !over; await sleep(pause)) await work().catch((error) => refused.push(String(error)))
  }

  await fetch(`${auths[0]?.url}/signup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(ada)
  })
  const sessions = [await login(), await login(), await login()]
  for (const { access_token } of sessions) keep(access_token)
  const loops = [greet, greet].map((work) => repeat(work, 40))
  loops.push(...sessions.map((session) => repeat(refresher(session), 150)))
  const all = Promise.all(loops)
  const stop = async () => {
    over = true
    await all
    return { greeted, refreshed, refused }
  }
  t.teardown(stop)
  return { login, stop }
}

async function call(url: string, token: string): Promise<{ status: number; text: string }> {
  const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
  return { status: answer.status, text: await answer.text() }
}

function kidOf(token: string): string {
  return partOf(token, 0).kid
}

function partOf(token: string, index: number) {
  return JSON.parse(Buffer.from(token.split('.')[index] ?? '', 'base64url').toString())
}
