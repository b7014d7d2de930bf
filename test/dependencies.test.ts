import { readFile } from 'node:fs/promises'
import { between } from '@latchkey/testing/between'
import t from 'tap'
import { askedForBy, packagesOf } from '../scripts/packages.mjs'

const read = (name: string) => readFile(new URL(`../${name}`, import.meta.url), 'utf8')

/** The most packages of others that a service may have. */
const MOST = { auth: 125, resource: 72 }

const { packages } = JSON.parse(await read('package-lock.json'))
const page = await read('docs/dependencies.md')

for (const [service, most] of Object.entries(MOST)) {
  t.test(`the ${service} service stands on few packages of others`, async (t) => {
    const count = packagesOf(packages, `services/${service}`).length
    between(t, count, { least: 40, most })
    t.match(page, new RegExp(`\\| ${service} \\| ${count} \\|`), 'docs/dependencies.md has their number')
  })
}

t.test('docs/dependencies.md says of each package that a service asks for what it brings', async (t) => {
  const asked = ['auth', 'resource', 'chat'].flatMap((name) => askedForBy(packages, `services/${name}`))
  const rows = [...page.matchAll(/^\| ((?:`[^`]+`(?:, )?)+) \|/gm)].map(([, names = '']) => names)
  const described = rows.flatMap((names) => [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => name))
  t.strictSame([...described].sort(), [...new Set(asked)].sort())
})

t.test('variants for platforms count as one, and a package counts once for each place it is in', async (t) => {
  const locked = {
    'services/a': { dependencies: { native: '1', shared: '1', '@own/b': '1' }, optionalDependencies: { missing: '1' } },
    'packages/b': { dependencies: { shared: '2', deep: '1' }, peerDependencies: { peer: '1', none: '1' } },
    'node_modules/@own/b': { link: true, resolved: 'packages/b' },
    'packages/b/node_modules/shared': {},
    'node_modules/shared': {},
    'node_modules/deep': { dependencies: { shared: '1' } },
    'node_modules/native': { optionalDependencies: { 'native-linux': '1', 'native-mac': '1' } },
    'node_modules/native-linux': { os: ['linux'] },
    'node_modules/native-mac': { os: ['darwin'] },
    'node_modules/peer': {},
    'node_modules/unused': {}
  }
  t.strictSame(packagesOf(locked, 'services/a'), [
    'node_modules/deep',
    'node_modules/native',
    'node_modules/peer',
    'node_modules/shared',
    'packages/b/node_modules/shared'
  ])
  t.strictSame(askedForBy(locked, 'services/a'), ['deep', 'missing', 'native', 'none', 'peer', 'shared'])
  const without = packagesOf(locked, 'services/a', (name) => name === 'native')
  t.notMatch(without.join(), 'native')
})
