import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDatabase, serviceUrl } from '@latchkey/testing/database'
import type { Test } from 'tap'
import { freePort } from '../../scripts/free-port.mjs'
import { runScript, type Service, service } from '../pair.ts'

/** Instances of the services that share keys and database. */
export interface Instances {
  readonly auths: readonly Service[]
  readonly resources: readonly Service[]
  /** The URL of each of the auth services in turn. */
  anyAuth(): string
  /** Likewise. */
  anyResource(): string
}

/**
 * Starts two instances of each service, with a database of their own if `extra` names none. `ofResources` gives each of
 * the resource services its own settings, from the URLs of the auth services.
 */
export async function startInstances(
  t: Test,
  extra: Record<string, string> = {},
  ofResources: (auths: readonly string[]) => readonly Record<string, string>[] = () => []
): Promise<Instances> {
  const dir = await mkdtemp(join(tmpdir(), 'latchkey-instances-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  await runScript('generate-keys.sh', [], { KEYS_DIR: dir })
  const ports = [await freePort(), await freePort(), await freePort(), await freePort()].map(String)
  const ISSUER = `http://127.0.0.1:${ports[0]}`
  const env = {
    PATH: process.env.PATH ?? '',
    ISSUER,
    AUDIENCE: 'latchkey',
    KEYS_DIR: dir,
    DATABASE_URL: extra['DATABASE_URL'] ?? (await serviceUrl(await createDatabase(t))),
    JWKS_URL: `${ISSUER}/.well-known/jwks.json`,
    BCRYPT_COST: '10',
    RATE_LIMIT_PER_MINUTE: '0',
    ...extra
  }
  const own = ofResources(ports.slice(0, 2).map((port) => `http://127.0.0.1:${port}`))
  const auths = ports.slice(0, 2).map((PORT) => service(t, 'auth', { ...env, PORT }))
  const resources = ports
    .slice(2)
    .map((PORT, i) =>
      service(t, 'resource', { ...env, PORT, JWKS_CACHE_FILE: join(dir, `jwks-${PORT}.json`), ...own[i] })
    )
  for (const instances of [auths, resources]) await Promise.all(instances.map(({ start }) => start()))
  return { auths, resources, anyAuth: inTurn(auths), anyResource: inTurn(resources) }
}

function inTurn(services: readonly Service[]): () => string {
  let turn = 0
  return () => services[turn++ % services.length]?.url ?? ''
}
