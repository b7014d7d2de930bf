import { readFile } from 'node:fs/promises'
import t from 'tap'
import { nodeFlags } from '../scripts/services.mjs'
import { authSettings } from '../services/auth/src/config.ts'
import { resourceSettings } from '../services/resource/src/config.ts'

// The images or the stack itself decide these.
const NOT_PASSED_ON = ['NODE_ENV', 'HOST', 'PORT', 'JWKS_FILE']

t.test('the compose stack passes every setting on', async (t) => {
  const compose = await readFile(new URL('../docker-compose.yml', import.meta.url), 'utf8')
  for (const [service, { properties }] of Object.entries({ auth: authSettings, resource: resourceSettings })) {
    const [, block = ''] = compose.split(new RegExp(`^ {2}${service}:$`, 'm'))
    const [own = ''] = block.split(/^ {2}\S/m)
    const passed = [...own.matchAll(/^ {6}([A-Z_]+):/gm)].map(([, name = '']) => name.replace(/_FILE$/, ''))
    const wanted = Object.keys(properties).filter((name) => !NOT_PASSED_ON.includes(name))
    t.same(passed.sort(), wanted.map((name) => name.replace(/_FILE$/, '')).sort(), service)
  }
})

t.test('an image starts its service as npm start does', async (t) => {
  for (const service of ['auth', 'resource']) {
    const dockerfile = await readFile(new URL(`../services/${service}/Dockerfile`, import.meta.url), 'utf8')
    const manifest = await readFile(new URL(`../services/${service}/package.json`, import.meta.url), 'utf8')
    const command = ['node', ...nodeFlags, 'dist/server.js']
    t.match(dockerfile, `\nCMD ${JSON.stringify(command).replaceAll(',', ', ')}\n`, service)
    t.equal(JSON.parse(manifest).scripts.start, `exec ${command.join(' ')}`, service)
  }
})
