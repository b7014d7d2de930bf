import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseEnv } from 'node:util'
import t, { type Test } from 'tap'
import {
  environmentOf,
  migrationOf,
  ownDatabaseFolder,
  readSettings,
  whyWithoutChat,
  withDatabase
} from '../../scripts/environment.mjs'

const development = await readFile(fileURLToPath(new URL('../../development.env', import.meta.url)), 'utf8')

/** A repository's folder with development.env and, perhaps, an .env. */
async function folderWith(t: Test, dotEnv?: string): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-env-'))
  t.teardown(() => rm(folder, { recursive: true }))
  await writeFile(path.join(folder, 'development.env'), development)
  if (dotEnv !== undefined) await writeFile(path.join(folder, '.env'), dotEnv)
  return folder
}

t.test('development.env says what the contract says', async (t) => {
  t.same(parseEnv(development), {
    HOST: '127.0.0.1',
    ISSUER: 'http://127.0.0.1:9090',
    AUDIENCE: 'latchkey',
    KEYS_DIR: './keys',
    JWKS_URL: 'http://127.0.0.1:9090/.well-known/jwks.json',
    PUBLIC_URL: 'http://127.0.0.1:9090',
    JWKS_CACHE_FILE: './data/jwks.json',
    REVOCATION_FEED: 'open',
    FEED_URL: 'http://127.0.0.1:9090/revocations',
    FEED_WHEN_CUT: 'accept',
    FEED_CACHE_FILE: './data/revocations.json',
    CORS_ORIGINS: 'http://127.0.0.1:8090,http://localhost:8090',
    CHAT_JWKS_CACHE_FILE: './data/chat-jwks.json',
    CHAT_FEED_CACHE_FILE: './data/chat-revocations.json',
    CHAT_DRAIN_TIME: '0s'
  })
})

t.test('without anything set, it is development on the usual ports', async (t) => {
  t.same(readSettings(await folderWith(t), {}), {
    ...parseEnv(development),
    NODE_ENV: 'development',
    DATA_DIR: './data',
    AUTH_PORT: '9090',
    RESOURCE_PORT: '8080',
    CHAT: 'on',
    CHAT_PORT: '8090'
  })
})

t.test('the environment wins, then .env, then development.env; empty counts as unset', async (t) => {
  const folder = await folderWith(t, 'AUDIENCE=from-file\nLOG_LEVEL=from-file\nKEYS_DIR=from-file\nHOST=\n')
  const settings = readSettings(folder, { AUDIENCE: 'from-environment', KEYS_DIR: '', NODE_ENV: 'production' })
  t.match(settings, {
    AUDIENCE: 'from-environment',
    LOG_LEVEL: 'from-file',
    KEYS_DIR: 'from-file',
    HOST: '127.0.0.1',
    NODE_ENV: 'production'
  })
})

t.test('the addresses of development.env follow AUTH_PORT, those that somebody chose do not', async (t) => {
  const folder = await folderWith(t, 'AUTH_PORT=7001\nJWKS_URL=http://127.0.0.1:9090/mine.json\n')
  t.match(readSettings(folder, {}), {
    ISSUER: 'http://127.0.0.1:7001',
    PUBLIC_URL: 'http://127.0.0.1:7001',
    JWKS_URL: 'http://127.0.0.1:9090/mine.json'
  })
  t.match(readSettings(folder, { AUTH_PORT: '7002' }), { ISSUER: 'http://127.0.0.1:7002' })
  t.match(readSettings(folder, { ISSUER: 'https://auth.example' }), { ISSUER: 'https://auth.example' })
})

t.test('the addresses of development.env follow HOST to where the service can be reached', async (t) => {
  const folder = await folderWith(t)
  const issuers = Object.fromEntries(
    ['::1', '0.0.0.0', '::', 'localhost', '192.168.1.20'].map((HOST) => [
      HOST,
      readSettings(folder, { HOST })['ISSUER']
    ])
  )
  t.same(issuers, {
    '::1': 'http://[::1]:9090',
    '0.0.0.0': 'http://127.0.0.1:9090',
    '::': 'http://127.0.0.1:9090',
    localhost: 'http://localhost:9090',
    '192.168.1.20': 'http://192.168.1.20:9090'
  })
  t.match(readSettings(folder, { HOST: '::1', AUTH_PORT: '7003' }), {
    ISSUER: 'http://[::1]:7003',
    JWKS_URL: 'http://[::1]:7003/.well-known/jwks.json'
  })
})

t.test('a feed that is off is asked by nobody', async (t) => {
  const settings = readSettings(await folderWith(t), { REVOCATION_FEED: 'off' })
  t.strictSame(
    Object.keys(settings).filter((name) => /^(CHAT_)?FEED_/.test(name)),
    []
  )
})

t.test('a byte order mark takes nothing from the first line of .env', async (t) => {
  const folder = await folderWith(t, '\ufeffAUDIENCE=from-file\n')
  t.match(readSettings(folder, {}), { AUDIENCE: 'from-file' })
})

t.test('who names a file of keys gets no address of them', async (t) => {
  const settings = readSettings(await folderWith(t), { JWKS_FILE: './jwks.json' })
  t.equal(settings['JWKS_URL'], undefined)
})

t.test('each service gets its port, the resource service no secret', async (t) => {
  const secrets = ['DATABASE_URL', 'DATABASE_URL_FILE', 'KEYS_DIR', 'SMTP_URL', 'SMTP_URL_FILE']
  const owners = ['MIGRATION_DATABASE_URL', 'MIGRATION_DATABASE_URL_FILE']
  const settings = readSettings(await folderWith(t), {
    PORT: '1',
    AUTH_PORT: '7001',
    RESOURCE_PORT: '7002',
    ...Object.fromEntries([...secrets, ...owners].map((name) => [name, 'secret']))
  })
  const auth = environmentOf(settings, 'auth')
  const resource = environmentOf(settings, 'resource')
  t.equal(auth['PORT'], '7001')
  t.equal(resource['PORT'], '7002')
  for (const name of secrets) {
    t.equal(auth[name], 'secret')
    t.equal(resource[name], undefined, name)
  }
  for (const name of owners)
    t.strictSame([auth[name], resource[name]], [undefined, undefined], `${name} is for migrations alone`)
  t.match(resource, { AUDIENCE: 'latchkey', ISSUER: 'http://127.0.0.1:7001' })
})

t.test('the metrics of a service are on the port after its own, unless that is the port of another', async (t) => {
  const folder = await folderWith(t)
  const portsOf = (settings: Record<string, string>) => {
    const read = readSettings(folder, settings)
    return (['auth', 'resource', 'chat'] as const).map((name) => environmentOf(read, name)['MANAGEMENT_PORT'])
  }
  t.strictSame(portsOf({}), ['9091', '8081', '8091'])
  const consecutive = { AUTH_PORT: '3000', RESOURCE_PORT: '3001', CHAT_PORT: '3002' }
  t.strictSame(portsOf({ ...consecutive, MANAGEMENT_PORT: '5000' }), ['', '', '3003'])
})

t.test('a database of our own takes the place of every other', async (t) => {
  const settings = readSettings(await folderWith(t), {
    PGSSLMODE: 'require',
    PGOPTIONS: '-c x=y',
    PGUSER: 'eve',
    PG: '1'
  })
  const own = withDatabase(settings, { url: 'owner', serviceUrl: 'service' })
  t.match(own, { DATABASE_URL: 'service', MIGRATION_DATABASE_URL: 'owner', ISSUER: 'http://127.0.0.1:9090', PG: '1' })
  t.notOk('CHAT_DATABASE_URL' in own, 'the chat has one already, or is left out')
  t.match(withDatabase(settings, { url: 'owner', serviceUrl: 'service' }, { url: 'its owner', serviceUrl: 'chat' }), {
    CHAT_DATABASE_URL: 'chat',
    CHAT_MIGRATION_DATABASE_URL: 'its owner',
    CHAT_ADMIN_DATABASE_URL: 'owner'
  })
  t.strictSame(
    Object.keys(own).filter((name) => /^PG./.test(name)),
    []
  )
  t.match(ownDatabaseFolder(settings), /data\/pg$/)
  t.equal(ownDatabaseFolder({ ...settings, DATABASE_URL: 'theirs' }), undefined)
  const half = { ...settings, MIGRATION_DATABASE_URL: 'theirs' }
  t.throws(() => ownDatabaseFolder(half), { message: /MIGRATION_DATABASE_URL is set without DATABASE_URL/ })
})

t.test('the origins of the page follow CHAT_PORT and HOST, and are not needed without the chat', async (t) => {
  const folder = await folderWith(t)
  const origins = (set: Record<string, string>) => readSettings(folder, set)['CORS_ORIGINS']
  t.equal(origins({ CHAT_PORT: '7004' }), 'http://127.0.0.1:7004,http://localhost:7004')
  t.equal(origins({ HOST: '192.168.1.20' }), 'http://192.168.1.20:8090,http://localhost:8090')
  t.equal(origins({ CORS_ORIGINS: 'https://app.example' }), 'https://app.example')
  t.equal(origins({ CHAT: 'off' }), undefined)
  t.throws(() => readSettings(folder, { CHAT: 'no' }), { message: /^CHAT must be on or off/ })
})

t.test(
  'the chat gets its own settings and nothing of the auth service, and nobody gets those of the chat',
  async (t) => {
    const secrets = ['DATABASE_URL', 'DATABASE_URL_FILE', 'KEYS_DIR', 'SMTP_URL', 'MIGRATION_DATABASE_URL']
    const settings = readSettings(await folderWith(t), {
      ...Object.fromEntries(secrets.map((name) => [name, 'secret'])),
      CHAT_PORT: '7004',
      CHAT_DATABASE_URL: 'chats',
      CHAT_MIGRATION_DATABASE_URL: 'owners',
      CHAT_ADMIN_DATABASE_URL: 'owners of the server',
      FEED_TOKEN: 'of all',
      CHAT_FEED_TOKEN_FILE: '/its',
      CHAT_LOG_LEVEL: 'debug',
      LOG_LEVEL: 'warn',
      REDIS_URL: 'redis'
    })
    const chat = environmentOf(settings, 'chat')
    t.match(chat, {
      PORT: '7004',
      DATABASE_URL: 'chats',
      LOG_LEVEL: 'debug',
      REDIS_URL: 'redis',
      JWKS_CACHE_FILE: './data/chat-jwks.json',
      FEED_CACHE_FILE: './data/chat-revocations.json',
      FEED_TOKEN_FILE: '/its'
    })
    t.notMatch(JSON.stringify(chat), /secret|owners|CHAT_|of all/)
    for (const service of ['auth', 'resource'] as const) {
      t.notMatch(JSON.stringify(environmentOf(settings, service)), /chats|owners|"CHAT/, service)
    }
    t.match(migrationOf(settings, 'chat'), {
      DATABASE_URL: 'chats',
      MIGRATION_DATABASE_URL: 'owners',
      ADMIN_DATABASE_URL: 'owners of the server'
    })
    t.notMatch(JSON.stringify(migrationOf(settings, 'chat')), /secret|CHAT_/)
    t.match(migrationOf(settings, 'auth'), { DATABASE_URL: 'secret', MIGRATION_DATABASE_URL: 'secret' })
    t.notMatch(JSON.stringify(migrationOf(settings, 'auth')), /chats|owners|"CHAT/)
  }
)

t.test('on a database that was named the chat needs one of its own, and it is said if there is none', async (t) => {
  const folder = await folderWith(t)
  const why = (set: Record<string, string>) => whyWithoutChat(readSettings(folder, set))
  t.equal(why({}), undefined)
  t.match(why({ DATABASE_URL: 'theirs' }), /^The chat is left out: .*CHAT_DATABASE_URL/)
  t.equal(why({ DATABASE_URL: 'theirs', CHAT_DATABASE_URL: 'chats' }), undefined)
  t.equal(why({ DATABASE_URL: 'theirs', CHAT_DATABASE_URL_FILE: 'file' }), undefined)
  t.equal(why({ DATABASE_URL: 'theirs', CHAT: 'off' }), undefined)
})
