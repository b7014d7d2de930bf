// npm publish refuses while package.json names another repository than the one that the checkout came from.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { isSameRepository } from '../../scripts/repository.mjs'

const run = promisify(execFile)
const SCRIPT = fileURLToPath(new URL('../../scripts/prepublish.mjs', import.meta.url))

t.test('the addresses of one repository are told from those of another', async (t) => {
  const one = 'git+https://git.example.com/team/latchkey.git'
  for (const same of [
    'https://git.example.com/team/latchkey',
    'https://someone@Git.Example.com:443/team/latchkey.git/',
    'ssh://git@git.example.com:22/team/latchkey.git',
    'git@git.example.com:team/latchkey.git'
  ]) {
    t.ok(isSameRepository(one, same), same)
  }
  for (const other of [
    'https://git.example.com/other/latchkey',
    'https://example.com/team/latchkey',
    '/srv/latchkey.git',
    ''
  ]) {
    t.notOk(isSameRepository(one, other), other)
  }
  t.notOk(isSameRepository('', ''), 'no address is the same as nothing')
})

t.test('npm publish ends before it packs anything, and says what to correct', async (t) => {
  const publish = async (url: string, origin: string) => {
    const folder = t.testdir({ 'package.json': JSON.stringify({ repository: { type: 'git', url } }) })
    await run('git', ['init', '--quiet'], { cwd: folder })
    await run('git', ['remote', 'add', 'origin', origin], { cwd: folder })
    return run(process.execPath, [SCRIPT], { cwd: folder }).then(
      () => 'published',
      ({ stderr }) => stderr
    )
  }
  t.equal(await publish('git+https://git.example.com/latchkey.git', 'git@git.example.com:latchkey.git'), 'published')
  const refused = await publish('git+https://git.example.com/latchkey.git', 'https://somewhere.example/latchkey')
  t.match(refused, /repository\.url of package\.json is git\+https:.*came from https:\/\/somewhere\.example\/latchkey/)
  t.match(refused, /Correct it/)
})

t.test('the verifier asks for it before it is published', async (t) => {
  const manifest = await import('../../packages/verifier/package.json', { with: { type: 'json' } })
  t.match(manifest.default.scripts.prepublishOnly, /prepublish\.mjs$/)
})
