import { readFile } from 'node:fs/promises'
import t from 'tap'
import { nodeFlags } from '../scripts/services.mjs'
import { authSettings, migrationSettings, RENAMED } from '../services/auth/src/config.ts'
import { migrationSettings as chatMigrationSettings, chatSettings } from '../services/chat/src/config.ts'
import { resourceSettings } from '../services/resource/src/config.ts'

// The images or the stack itself decide these.
const NOT_PASSED_ON = ['DATA_DIR', 'NODE_ENV', 'HOST', 'PORT', 'JWKS_FILE']

const compose = await readFile(new URL('../docker-compose.yml', import.meta.url), 'utf8')

/** What the file says of each service, without the anchors. */
const services = Object.fromEntries(
  compose
    .replace(/^[\s\S]*^services:\n|^networks:\n[\s\S]*/gm, '')
    .split(/^ {2}(?=[\w-]+:$)/m)
    .filter((block) => /^[\w-]+:\n/.test(block))
    .map((block) => [block.slice(0, block.indexOf(':')), block])
)

/** The volumes of a service, and whether it may write to them. */
const volumesOf = (block: string) =>
  [...block.matchAll(/^ {6}- ([\w-]+):\/\S+?(:ro)?$/gm)].map(([, name, readOnly]) => `${name}${readOnly ?? ''}`).sort()

t.test('the compose stack passes every setting on, also under an old name, which the service refuses', async (t) => {
  const settings = {
    migrate: migrationSettings.properties,
    auth: { ...authSettings.properties, ...RENAMED },
    resource: resourceSettings.properties,
    'chat-migrate': chatMigrationSettings.properties,
    chat: chatSettings.properties
  }
  for (const [service, properties] of Object.entries(settings)) {
    const passed = [...(services[service]?.matchAll(/^ {6}([A-Z_]+):/gm) ?? [])].map(([, name = '']) =>
      name.replace(/_FILE$/, '')
    )
    const wanted = Object.keys(properties).filter((name) => !NOT_PASSED_ON.includes(name))
    t.same(passed.sort(), wanted.map((name) => name.replace(/_FILE$/, '')).sort(), service)
  }
})

t.test('an image starts its service as npm start does', async (t) => {
  for (const service of ['auth', 'resource', 'chat']) {
    const dockerfile = await readFile(new URL(`../services/${service}/Dockerfile`, import.meta.url), 'utf8')
    const manifest = await readFile(new URL(`../services/${service}/package.json`, import.meta.url), 'utf8')
    const command = ['node', ...nodeFlags, 'dist/server.js']
    t.match(dockerfile, `\nCMD ${JSON.stringify(command).replaceAll(',', ', ')}\n`, service)
    t.equal(JSON.parse(manifest).scripts.start, `exec ${command.join(' ')}`, service)
  }
})

t.test('only who needs a secret of the compose stack has it', async (t) => {
  t.strictSame(Object.fromEntries(Object.entries(services).map(([name, block]) => [name, volumesOf(block)])), {
    keys: ['chat-owner', 'chat-service', 'database-password', 'database-service', 'feed', 'keys'],
    database: ['database', 'database-password:ro'],
    migrate: ['database-password:ro', 'database-service:ro'],
    auth: ['database-service:ro', 'feed:ro', 'keys:ro'],
    resource: ['feed:ro', 'jwks'],
    'chat-migrate': ['chat-owner:ro', 'chat-service:ro', 'database-password:ro'],
    chat: ['chat-jwks', 'chat-service:ro', 'feed:ro'],
    mailpit: [],
    prometheus: ['prometheus'],
    grafana: []
  })
  const owners = Object.keys(services).filter((name) => services[name]?.includes('MIGRATION_DATABASE_URL'))
  t.strictSame(owners, ['migrate', 'chat-migrate'], 'owners of tables migrate, and nobody else connects as one')
})

t.test('every service of the compose stack has a limit of memory and of processes', async (t) => {
  const [, shared = ''] = /^x-service: &service\n([\s\S]*?)^\S/m.exec(compose) ?? []
  t.equal(Object.keys(services).length, 10)
  for (const [name, block] of Object.entries(services)) {
    t.match(block, '    <<: *service\n', name)
    t.match(block + shared, /^ +mem_limit: (\$\{[A-Z]+_MEMORY:-)?\d+[mg]\}?$/m, name)
    t.match(block + shared, /^ +pids_limit: \d+$/m, name)
  }
})
