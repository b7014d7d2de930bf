// Every code block of the README: each is run by a test here or where it says.
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { installElsewhere, ROOT, run, startScript } from './packed.ts'
import { blocks, listening, played, readmeSnippet } from './readme.ts'

const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
const PACKAGES = ['fastify', 'fastify-plugin', 'express', '@fastify/jwt', '@types/node']
const { folder, port, kid, token } = await installElsewhere(t, PACKAGES)

/** What a snippet takes for granted, because the README has said it above. */
const OPENED = `
import { createVerifier, openKeySet } from '@latchkey/verifier'
const keys = await openKeySet({ url: 'https://auth.example.com/.well-known/jwks.json' })
const verifier = createVerifier({ issuer: 'https://auth.example.com', audience: 'latchkey', keys })
`

t.test('no code block of the README is without its test', async (t) => {
  t.same(
    blocks.map(({ language, name }) => `${language} ${name}`.trim()),
    [
      // The commands of "Install", below and in test/interop/install.test.ts.
      'sh',
      'sh',
      'sh',
      'json deno.json',
      'js plain.mjs',
      'js with-fastify.mjs',
      'ts beside-others.ts',
      'js with-http.mjs',
      'js with-express.mjs',
      'js with-cookies.mjs',
      // In test/sockets.test.ts, with a real auth service.
      'js with-sockets.mjs'
    ]
  )
})

t.test('the tarball has the name that the commands of "Install" give it', async (t) => {
  const commands = blocks.filter(({ language }) => language === 'sh').map(({ code }) => code.trim())
  const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'))
  const tarball = `latchkey-verifier-${version}.tgz`
  t.same(commands, [
    'npm ci\nnpm pack -w packages/verifier',
    `npm install ./${tarball}`,
    `mkdir -p vendor && tar -xzf ${tarball} -C vendor`
  ])
  await mkdir(join(folder, 'unpacked'))
  await copyFile(join(folder, 'packed', tarball), join(folder, 'unpacked', tarball))
  const [, , unpack = ''] = commands
  await run('sh', ['-c', unpack], { cwd: join(folder, 'unpacked') })
  const { imports } = JSON.parse(readmeSnippet('deno.json')) as { imports: Record<string, string> }
  for (const path of Object.values(imports).filter((target) => target.startsWith('./'))) {
    t.match(await readFile(join(folder, 'unpacked', path), 'utf8'), /export/, path)
  }
})

t.test('the first example verifies a token, and says why it refuses one', async (t) => {
  await writeFile(join(folder, 'plain.mjs'), played(readmeSnippet('plain.mjs'), port))
  const say = async (text: string) => (await run(process.execPath, ['plain.mjs', text], { cwd: folder })).stdout
  t.match(await say(token), /^Ada \([\w-]{36}\) is user\n$/)
  t.equal(await say('nonsense'), 'invalid_token 401\n')
  t.match(JSON.parse(await readFile(join(folder, 'jwks-cache.json'), 'utf8')), { keys: [{ kid }] })
})

/** Starts a script and checks that it lets a good token in, and what it says to a bad one and to none. */
async function isGuarded(t: Test, script: string, type: string): Promise<void> {
  const url = await startScript(t, folder, script)
  const ask = (headers = {}) => fetch(`${url}/greet`, { headers })
  const good = await ask({ authorization: `Bearer ${token}` })
  t.same([good.status, await good.text()], [200, 'Hello, Ada!'])
  const bad = await ask({ authorization: 'Bearer nonsense' })
  t.equal(bad.status, 401)
  t.equal(bad.headers.get('content-type'), type)
  t.equal(bad.headers.get('www-authenticate'), 'Bearer realm="latchkey", error="invalid_token"')
  const text = await bad.text()
  if (type.includes('json')) t.match(JSON.parse(text), { code: 'invalid_token' })
  const none = await ask()
  t.same([none.status, none.headers.get('www-authenticate')], [401, 'Bearer realm="latchkey"'])
}

t.test('with-cookies.mjs takes the header and the cookie, and no POST of another site by cookie', async (t) => {
  await writeFile(join(folder, 'with-cookies.mjs'), listening(played(readmeSnippet('with-cookies.mjs'), port)))
  await isGuarded(t, 'with-cookies.mjs', 'application/problem+json')
  const url = await startScript(t, folder, 'with-cookies.mjs')
  const cookie = `__Secure-token=${token}`
  t.equal(await (await fetch(url, { headers: { cookie } })).text(), 'Hello, Ada!')
  for (const [origin, status] of [
    ['https://app.example.com', 200],
    ['https://evil.example', 403]
  ] as const) {
    t.equal((await fetch(url, { method: 'POST', headers: { cookie, origin } })).status, status, origin)
  }
})

for (const name of ['with-fastify.mjs', 'with-http.mjs']) {
  t.test(`${name} lets good tokens in, and refuses like all of Latchkey`, async (t) => {
    await writeFile(join(folder, name), listening(played(readmeSnippet(name), port)))
    await isGuarded(t, name, 'application/problem+json')
  })
}

t.test('beside-others.ts compiles, and stands in one app with @fastify/jwt', async (t) => {
  const code = `${OPENED}
import jwt from '@fastify/jwt'
import Fastify from 'fastify'
const app = Fastify()
await app.register(jwt, { secret: 'a secret of theirs' })
${readmeSnippet('beside-others.ts')}
console.log('listening on', new URL(await app.listen({ port: 8080 })).port)
`
  const project = join(folder, 'beside')
  await mkdir(project)
  await writeFile(join(project, 'beside-others.ts'), played(code, port))
  const compilerOptions = { strict: true, target: 'es2023', module: 'nodenext', types: ['node'], skipLibCheck: true }
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
  const { stdout } = await run(process.execPath, [TSC, '-p', project]).catch((error) => error)
  t.equal(stdout, '')
  await isGuarded(t, 'beside/beside-others.js', 'application/json; charset=utf-8')
})

t.test("with-express.mjs hands refusals to Express's own error handler", async (t) => {
  const code = `${OPENED}
import { authenticate } from '@latchkey/verifier/http'
import express from 'express'
const app = express().set('env', 'test')
${readmeSnippet('with-express.mjs')}
app.get('/greet', (request, response) => response.send(\`Hello, \${response.locals.caller.preferred_username}!\`))
const server = app.listen(8080, () => console.log('listening on', server.address().port))
`
  await writeFile(join(folder, 'with-express.mjs'), played(code, port))
  await isGuarded(t, 'with-express.mjs', 'text/html; charset=utf-8')
})
