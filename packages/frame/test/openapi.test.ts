import t from 'tap'
import { isProblem } from '../../testing/src/problem.ts'
import { openapi } from '../src/openapi.ts'
import { startFrame } from './frame.ts'

t.test('the root leads to the documentation, and is no part of it', async (t) => {
  const { send } = await startFrame(t, (app) => openapi(app, { title: 'Test', description: 'Of a test', version: '1' }))
  for (const line of ['GET /', 'HEAD /', 'GET /?utm_source=x']) {
    const { status, headers } = await send(line)
    t.strictSame([status, headers['location'], headers['cache-control']], [302, '/docs', 'no-store'], line)
  }
  t.equal((await send('GET /docs')).status, 200)
  const post = await send('POST /')
  isProblem(t, post, 'method_not_allowed')
  t.equal(post.headers['allow'], 'GET, HEAD')
  t.strictSame(Object.keys((await send('GET /openapi.json')).body.paths), [])
})

t.test('a service with a page of its own has it at the root', async (t) => {
  const info = { title: 'Test', description: 'Of a test', version: '1' }
  const { send } = await startFrame(t, async (app) => {
    openapi(app, info, {}, { hasPage: true })
    app.get('/', { schema: { hide: true } }, () => 'the page')
  })
  t.match(await send('GET /'), { status: 200, body: 'the page' })
  t.equal((await send('GET /docs')).status, 200)
})

t.test('the page has its files, and no others', async (t) => {
  const { send } = await startFrame(t, (app) => openapi(app, { title: 'Test', description: 'Of a test', version: '1' }))
  const page = await send('GET /docs')
  const named = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path)
  t.equal(named.length, 6)
  for (const path of named) {
    const file = await send(`GET ${path}`)
    t.match(file, { status: 200, headers: { 'cache-control': 'public, max-age=600' } }, path)
    t.equal(file.headers['content-security-policy'], page.headers['content-security-policy'])
    t.ok(file.body.length > 100, 'it has content')
  }
  t.match((await send('GET /docs/static/swagger-ui.css')).headers, { 'content-type': 'text/css; charset=utf-8' })
  for (const name of ['package.json', 'swagger-ui.js.map', '..%2fpackage.json', '%2e%2e/package.json', '']) {
    isProblem(t, await send(`GET /docs/static/${name}`), 'not_found', [], name)
  }
})

t.test('the document is made once, when it is first asked for', async (t) => {
  let looks = 0
  const answer = {
    type: 'object',
    get description() {
      looks += 1
      return 'Counts who looks.'
    }
  }
  const payloads: unknown[] = []
  const { app, send } = await startFrame(t, (app) => {
    openapi(app, { title: 'Test', description: 'Of a test', version: '1' })
    app.addHook('onSend', (_request, _reply, payload, done) => done(null, payloads[payloads.push(payload) - 1]))
    app.get('/counted', { schema: { response: { 200: answer } } }, () => ({}))
  })
  await app.ready()
  looks = 0
  const first = await send('GET /openapi.json')
  const once = looks
  t.ok(once > 0)
  t.match(first.body.paths, { '/counted': { get: { responses: { 200: { description: 'Counts who looks.' } } } } })
  t.strictSame(await send('GET /openapi.json').then(({ body }) => body), first.body)
  t.equal(looks, once)
  t.ok(Buffer.isBuffer(payloads[0]))
  t.equal(payloads[0], payloads[1], 'all who ask hold one copy')
})

t.test('if making the document fails, the next request makes it', async (t) => {
  let isBroken = true
  const answer = {
    type: 'object',
    get description() {
      if (isBroken) throw new Error('there is no memory')
      return 'It is whole.'
    }
  }
  const { send } = await startFrame(t, (app) => {
    openapi(app, { title: 'Test', description: 'Of a test', version: '1' })
    app.get('/late', { schema: { response: { 200: answer } } }, () => ({}))
  })
  for (const _ of [1, 2]) isProblem(t, await send('GET /openapi.json'), 'internal_error')
  isBroken = false
  t.match(await send('GET /openapi.json'), { status: 200, body: { paths: { '/late': { get: {} } } } })
})

t.test('if the generator cannot be loaded, the next request loads it', async (t) => {
  let isFull = true
  const { createRequire } = await import('node:module')
  const load = createRequire(import.meta.url)
  const loadLater = Object.assign((name: string) => {
    if (isFull) throw new Error('EMFILE: too many open files')
    return load(name)
  }, load)
  const { openapi } = await t.mockImport<typeof import('../src/openapi.ts')>('../src/openapi.ts', {
    'node:module': { createRequire: () => loadLater }
  })
  const { send } = await startFrame(t, (app) => openapi(app, { title: 'Test', description: 'Of a test', version: '1' }))
  isProblem(t, await send('GET /openapi.json'), 'internal_error')
  isFull = false
  t.equal((await send('GET /openapi.json')).status, 200)
})
