import { PROBLEMS, type ProblemCode } from '@latchkey/problems/codes'
import { Problem, unavailable } from '@latchkey/problems/problem'
import t from 'tap'
import { Type } from 'typebox'
import { isProblem } from '../../testing/src/problem.ts'
import { problems } from '../src/schemas.ts'
import { startFrame } from './frame.ts'

const secret = new Error('relation "users" does not exist at /srv/secret.ts:1')
const FAULTS: Record<string, unknown> = {
  error: secret,
  'with-status': Object.assign(new Error('teapot'), { statusCode: 503 }),
  text: 'secret',
  hidden: Object.assign(new Error('x'), { code: 'FST_ERR_SECRET', validation: undefined })
}

t.test('what nobody foresaw is our fault: masked, logged as an error, and survived', async (t) => {
  const { send, lines } = await startFrame(t, (app) => {
    for (const [name, fault] of Object.entries(FAULTS)) {
      app.get(`/${name}`, async () => {
        throw fault
      })
    }
    app.addHook('onRequest', async (request) => {
      if (request.url === '/hook') throw secret
    })
    app.get('/hook', () => ({}))
    app.get('/sync', () => {
      throw secret
    })
    app.get(
      '/shape',
      { schema: { response: { 200: Type.Object({ a: Type.Integer() }) } } },
      () => ({ a: 'no number' }) as never
    )
    app.get('/fine', () => ({ ok: true }))
  })
  for (const path of [...Object.keys(FAULTS), 'hook', 'sync', 'shape']) {
    lines.length = 0
    const answer = await send(`GET /${path}`)
    isProblem(t, answer, 'internal_error', [], path)
    t.match(
      lines[0],
      { level: 'error', code: 'internal_error', request_id: answer.body.request_id, err: { stack: /at / } },
      path
    )
  }
  t.strictSame((await send('GET /fine')).body, { ok: true })
})

t.test('every code is answered as it stands in the list', async (t) => {
  const codes = Object.keys(PROBLEMS) as ProblemCode[]
  const { send, lines } = await startFrame(t, (app) => {
    for (const code of codes) {
      app.get(`/${code}`, async () => {
        throw new Problem(code, { reason: `because of ${code}` })
      })
    }
  })
  for (const code of codes) {
    lines.length = 0
    const { status, body } = await send(`GET /${code}`)
    const { title, detail } = PROBLEMS[code]
    t.strictSame([status, body.code, body.title, body.detail], [PROBLEMS[code].status, code, title, detail], code)
    t.notMatch(JSON.stringify(body), 'because', 'the reason is for the log alone')
    t.match(lines[0], { level: status >= 500 ? 'error' : 'info', code, msg: `because of ${code}` })
  }
})

t.test('Retry-After is whole seconds, at least one', async (t) => {
  const waits = { '0': '1', '0.2': '1', '1': '1', '1.001': '2', '30': '30' }
  const { send } = await startFrame(t, (app) => {
    for (const wait of Object.keys(waits)) {
      app.get(`/${wait}`, async () => {
        throw unavailable('later', Number(wait))
      })
    }
  })
  for (const [wait, header] of Object.entries(waits)) {
    t.equal((await send(`GET /${wait}`)).headers['retry-after'], header, wait)
  }
})

t.test('faults of the input are named by their place', async (t) => {
  const { send } = await startFrame(t, (app) => {
    const inner = Type.Object({ deep: Type.Integer() }, { additionalProperties: false })
    const limits = { minLength: 2, description: 'a word of two letters or more' }
    const body = Type.Object({ inner, word: Type.String(limits) }, { additionalProperties: false })
    const querystring = Type.Object(
      { page: Type.Optional(Type.String({ pattern: '^\\d+$' })) },
      { additionalProperties: false }
    )
    const params = Type.Object({ id: Type.String({ minLength: 3 }) })
    app.post('/things/:id', { schema: { body, querystring, params } }, () => ({}))
  })
  const post = async (path: string, body: object) =>
    (await send(`POST ${path}`, { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })).body
      .errors
  const good = { inner: { deep: 1 }, word: 'word' }
  t.strictSame(await post('/things/abc', { ...good, word: 'x' }), [
    { field: 'word', message: 'must be a word of two letters or more' }
  ])
  t.strictSame(await post('/things/abc', { ...good, word: 5 }), [{ field: 'word', message: 'must be string' }])
  t.strictSame(await post('/things/abc', { ...good, inner: { deep: 1.5 } }), [
    { field: 'inner.deep', message: 'must be integer' }
  ])
  t.strictSame(await post('/things/abc', { word: 'word' }), [{ field: 'inner', message: 'is required' }])
  t.strictSame(await post('/things/abc', []), [{ field: 'body', message: 'must be object' }])
  t.strictSame(await post('/things/abc?page=x', good), [{ field: 'page', message: 'must match pattern "^\\d+$"' }])
  t.strictSame(await post('/things/abc?size=1', good), [{ field: 'size', message: 'is not known here' }])
  t.match(await post('/things/a', good), [{ field: 'id', message: /^must NOT have fewer than 3/ }])
})

t.test('an answer names twenty faults and no more', async (t) => {
  const { send } = await startFrame(t, (app) => {
    app.post('/', { schema: { body: Type.Object({}, { additionalProperties: false }) } }, () => ({}))
  })
  const body = JSON.stringify(Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`m${i}`, i])))
  const answer = await send('POST /', { body, headers: { 'content-type': 'application/json' } })
  t.equal(answer.status, 400)
  t.equal(answer.body.errors.length, 20)
})

t.test('a schema lists the codes of its statuses', async (t) => {
  const codesOf = (answer: object) =>
    (answer as { content: Record<string, { schema: { properties: { code: { enum: string[] } } } }> }).content[
      'application/problem+json'
    ]?.schema.properties.code.enum
  const listed = problems('missing_token', 'invalid_token', 'email_taken')
  t.strictSame(Object.keys(listed), ['400', '401', '409', '500', '503'])
  t.strictSame(codesOf(listed[401] ?? {}), ['missing_token', 'invalid_token'])
  t.strictSame(codesOf(listed[400] ?? {}), ['invalid_input'])
})
