import { execFile } from 'node:child_process'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createDatabase } from '@latchkey/testing/database'
import { accessClaims, accessToken } from '@latchkey/testing/tokens'
import t from 'tap'
import { freePort } from '../../scripts/free-port.mjs'
import { kidOf } from '../../services/auth/test/keys.ts'
import { runScript, type Service, service } from '../pair.ts'
import { buildFirst } from '../scripts/build-first.ts'

const AWAY = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' }
const ADMIN = fileURLToPath(new URL('../../services/auth/dist/admin.js', import.meta.url))

await buildFirst()
const dir = await mkdtemp(join(tmpdir(), 'latchkey-revoked-'))
t.teardown(() => rm(dir, { recursive: true, force: true }))
const KEYS_DIR = join(dir, 'keys')
await runScript('generate-keys.sh', [], { KEYS_DIR })
const [authPort, port, otherPort] = [await freePort(), await freePort(), await freePort()]
const ISSUER = `http://127.0.0.1:${authPort}`
const KEY_SET = `${ISSUER}/.well-known/jwks.json`
const shared = { PATH: process.env.PATH ?? '', ISSUER, AUDIENCE: 'latchkey' }
const env = {
  ...shared,
  PORT: String(authPort),
  KEYS_DIR,
  DATABASE_URL: await createDatabase(t),
  JWKS_PUBLISH_AGE: '1s',
  KEY_LEAD: '2s'
}
// The set is fetched again every second; an unknown key may cause a fetch at any time.
const eager = { ...shared, JWKS_URL: KEY_SET, JWKS_MIN_AGE: '1s', JWKS_COOLDOWN: '0s' }
const auth = service(t, 'auth', env)
const resource = service(t, 'resource', { ...eager, PORT: String(port), JWKS_CACHE_FILE: join(dir, 'jwks.json') })
const newcomer = service(t, 'resource', { ...eager, PORT: String(otherPort) })

/** An access token as whoever stole the key would make it, and its `kid`. */
async function forge(slot: string): Promise<{ token: string; kid: string }> {
  const pem = await readFile(join(KEYS_DIR, `access/${slot}.private.pem`), 'utf8')
  const privateKey = createPrivateKey(pem)
  const kid = kidOf(pem)
  const jwk = { kty: 'RSA', n: '', e: '', kid, use: 'sig', alg: 'RS256' } as const
  const claims = accessClaims(ISSUER, 'latchkey', Math.floor(Date.now() / 1000))
  return { token: accessToken({ kid, privateKey, publicKey: createPublicKey(pem), jwk }, claims), kid }
}

const greet = async ({ url }: Service, token: string) =>
  (await fetch(`${url}/greet`, { headers: { authorization: `Bearer ${token}` } })).status

const keySet = async () => {
  const answer = await fetch(KEY_SET)
  const { keys } = (await answer.json()) as { keys?: { kid: string }[] }
  return { status: answer.status, retryAfter: answer.headers.get('retry-after'), kids: keys?.map(({ kid }) => kid) }
}

/** Returns when the resource service has asked for the set, whatever came of it, since it wrote so many characters. */
async function hasAsked(of: Service, written: number): Promise<void> {
  while (!/key set (not )?fetched/.test(of.output().slice(written))) await sleep(50)
}

/** Returns when the token is answered otherwise. */
async function isNoLonger(status: number, of: Service, token: string): Promise<void> {
  while ((await greet(of, token)) === status) await sleep(50)
}

t.test('a key that the database alone has revoked stays away while the database does', async (t) => {
  await auth.start()
  await resource.start()
  const [stolen, good] = [await forge('current'), await forge('next')]
  t.same([await greet(resource, stolen.token), await greet(resource, good.token)], [200, 200])

  await promisify(execFile)(process.execPath, [ADMIN, 'revoke-key', stolen.kid], { env })
  await isNoLonger(200, resource, stolen.token)
  t.same(await keySet(), { status: 200, retryAfter: null, kids: [good.kid] })

  await auth.kill()
  const written = resource.output().length
  await auth.start('/healthz', AWAY)
  t.same(await keySet(), { status: 503, retryAfter: '1', kids: undefined })
  await hasAsked(resource, written)
  const whileAway = [await greet(resource, stolen.token), await greet(resource, good.token)]
  t.same(whileAway, [503, 200], 'the resource service goes on with the set that it holds')

  await resource.stop()
  await resource.start()
  const restarted = [await greet(resource, stolen.token), await greet(resource, good.token)]
  t.same(restarted, [503, 200], 'and with its cache file')

  await newcomer.start('/healthz')
  await hasAsked(newcomer, 0)
  const cold = [await greet(newcomer, stolen.token), await greet(newcomer, good.token)]
  t.same(cold, [503, 503], 'one without a file believes nobody yet')
  t.equal((await fetch(`${newcomer.url}/readyz`)).status, 503)

  await auth.kill()
  await auth.start()
  t.same(await keySet(), { status: 200, retryAfter: null, kids: [good.kid] })
  for (const service of [resource, newcomer]) {
    await isNoLonger(503, service, good.token)
    await isNoLonger(503, service, stolen.token)
    t.same([await greet(service, stolen.token), await greet(service, good.token)], [401, 200])
  }
})
