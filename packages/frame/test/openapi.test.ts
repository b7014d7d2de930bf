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
    await openapi(app, info, {}, { hasPage: true })
    app.get('/', { schema: { hide: true } }, () => 'the page')
  })
  t.match(await send('GET /'), { status: 200, body: 'the page' })
  t.equal((await send('GET /docs')).status, 200)
})
