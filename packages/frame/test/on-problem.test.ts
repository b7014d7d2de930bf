import { once } from 'node:events'
import net from 'node:net'
import { Problem, unavailable } from '@latchkey/problems/problem'
import t, { type Test } from 'tap'
import { Type } from 'typebox'
import { isProblem } from '../../testing/src/problem.ts'
import type { App } from '../src/app-type.ts'
import { listen, startFrame } from './frame.ts'

/** In milliseconds. */
const LONGEST = 200

interface Told {
  readonly url: string
  readonly code: string
}

async function startTelling(t: Test, endpoints: (app: App) => void) {
  const told: Told[] = []
  const onProblem = ({ url }: { url: string }, { code }: Problem) => told.push({ url, code })
  return { told, ...(await startFrame(t, endpoints, {}, { longestAnswer: LONGEST, onProblem })) }
}

const JSON_BODY = { headers: { 'content-type': 'application/json' }, body: '{}' }

t.test('each refusal of a route is told once', async (t) => {
  const { told, send } = await startTelling(t, (app) => {
    const onRequest = async () => {
      throw new Problem('invalid_token')
    }
    app.get('/guarded', { onRequest }, async () => ({}))
    app.get('/refused', async () => {
      throw new Problem('not_found')
    })
    app.get('/fault', async () => {
      throw new TypeError('a fault of the program')
    })
    app.get('/fine', async () => ({}))
    const body = Type.Object({ name: Type.String() }, { additionalProperties: false })
    app.post('/validated', { schema: { body } }, async () => ({}))
  })
  const expected: [line: string, code: string, sending?: typeof JSON_BODY][] = [
    ['GET /guarded', 'invalid_token'],
    ['GET /refused', 'not_found'],
    ['GET /fault', 'internal_error'],
    ['POST /validated', 'invalid_input', JSON_BODY],
    ['POST /validated', 'invalid_input', { ...JSON_BODY, body: '{' }],
    ['POST /validated', 'unsupported_media_type', { ...JSON_BODY, headers: { 'content-type': 'text/plain' } }],
    ['POST /validated', 'content_too_large', { ...JSON_BODY, body: `"${'x'.repeat(70_000)}"` }]
  ]
  for (const [line, code, sending] of expected) {
    told.length = 0
    t.equal((await send(line, sending)).body.code, code)
    t.strictSame(told, [{ url: line.split(' ')[1], code }], `${line}: ${code}`)
  }
  told.length = 0
  t.equal((await send('GET /fine')).status, 200)
  for (const [line, code] of [
    ['GET /nowhere', 'not_found'],
    ['PUT /fine', 'method_not_allowed'],
    ['GET /%ff', 'invalid_input']
  ] as const) {
    isProblem(t, await send(line), code, code === 'invalid_input' ? ['path'] : [])
  }
  t.strictSame(told, [], 'neither success, nor what no route takes')
})

t.test('of a late answer it is told what becomes of the request, not that it was late', async (t) => {
  const ends = new Map<string, (error?: Error) => void>()
  const { told, send } = await startTelling(t, (app) => {
    const held = (name: string) => () =>
      new Promise<object>((resolve, reject) => {
        ends.set(name, (error) => (error ? reject(error) : resolve({})))
      })
    app.post('/made', held('made'))
    app.post('/refused', held('refused'))
    app.post('/fault', held('fault'))
    app.post('/guarded', { onRequest: async () => void (await held('guarded')()) }, async () => ({}))
  })
  const late = ['made', 'refused', 'fault', 'guarded']
  await Promise.all(late.map(async (name) => isProblem(t, await send(`POST /${name}`, JSON_BODY), 'unavailable')))
  t.strictSame(told, [{ url: '/guarded', code: 'unavailable' }], 'after a late guard nothing is begun')
  ends.get('made')?.()
  ends.get('refused')?.(unavailable('no connection'))
  ends.get('fault')?.(new TypeError('a fault of the program'))
  ends.get('guarded')?.(new Problem('invalid_token'))
  await new Promise(setImmediate)
  t.strictSame(told.slice(1), [
    { url: '/refused', code: 'unavailable' },
    { url: '/fault', code: 'internal_error' }
  ])
})

t.test('a body that breaks is told as well', async (t) => {
  const { told, app } = await startTelling(t, (app) => {
    app.post('/', async () => ({}))
  })
  const socket = net.connect(await listen(app), '127.0.0.1')
  const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n'
  socket.write(`${head}no chunk\r\n`)
  t.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 400 /)
  t.strictSame(told, [{ url: '/', code: 'invalid_input' }])
  socket.destroy()
})

t.test('what the listener throws is logged, and the client has its answer', async (t) => {
  const onProblem = () => {
    throw new Error('the listener is broken')
  }
  const endpoints = (app: App) => {
    app.get('/', async () => {
      throw new Problem('invalid_token')
    })
  }
  const { send, lines } = await startFrame(t, endpoints, {}, { onProblem })
  isProblem(t, await send('GET /'), 'invalid_token')
  t.match(
    lines.filter(({ level }) => level === 'error'),
    [{ msg: 'the listener of problems failed', err: { message: 'the listener is broken' } }]
  )
})
