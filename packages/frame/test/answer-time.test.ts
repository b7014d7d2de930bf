import { once } from 'node:events'
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Problem, unavailable } from '@latchkey/problems/problem'
import t from 'tap'
import { between } from '../../testing/src/between.ts'
import { isProblem } from '../../testing/src/problem.ts'
import { extendAnswerTime, limitAnswerTime } from '../src/connections/answer-time.ts'
import { listen, startFrame } from './frame.ts'

/** In milliseconds. */
const LONGEST = 200

const JSON_BODY = { headers: { 'content-type': 'application/json' }, body: '{}' }

t.test('an answer that takes too long is 503, and what comes of it later changes nothing', async (t) => {
  const ends: (() => void)[] = []
  const { send, lines } = await startFrame(t, (app) => {
    limitAnswerTime(app, LONGEST)
    const held = () => new Promise<void>((end) => ends.push(end))
    app.post('/late', async (_request, reply) => {
      await held()
      return reply.code(201).send({ late: true })
    })
    app.post('/failing', async () => {
      await held()
      throw new Error('nobody waits for it')
    })
    app.post('/soon', async () => ({ late: false }))
  })
  for (const line of ['POST /late', 'POST /failing']) isProblem(t, await send(line, JSON_BODY), 'unavailable', [], line)
  for (const end of ends) end()
  t.strictSame((await send('POST /soon', JSON_BODY)).body, { late: false })
  const answered = lines.filter(({ msg }) => msg === 'answered')
  t.match(answered, [{ res: { status: 503 } }, { res: { status: 503 } }, { res: { status: 200 } }])
  t.equal(answered.length, 3)
  t.notMatch(JSON.stringify(lines), 'FST_ERR_REP_ALREADY_SENT')
})

t.test('what fails after its 503 is logged: a refusal at info without a stack, a fault as an error', async (t) => {
  const late: (() => void)[] = []
  const { send, lines } = await startFrame(t, (app) => {
    limitAnswerTime(app, LONGEST)
    const failing = (error: Error) => () => new Promise((_, reject) => late.push(() => reject(error)))
    app.get('/handler', failing(new Problem('invalid_token', { reason: 'no such session' })))
    app.get('/database', failing(unavailable('the database is silent')))
    app.get('/fault', failing(new TypeError('a fault of the program')))
  })
  for (const path of ['/handler', '/database', '/fault']) isProblem(t, await send(`GET ${path}`), 'unavailable')
  const before = lines.length
  for (const fail of late) fail()
  await new Promise(setImmediate)
  t.match(
    lines.slice(before).map(({ level, msg, err }) => [level, msg, err]),
    [
      ['info', 'after the answer: no such session', undefined],
      ['info', 'after the answer: the database is silent', undefined],
      ['error', 'after the answer: unexpected error', { message: 'a fault of the program', stack: String }]
    ]
  )
})

t.test('a guard that takes too long is 503 as well, and lets nothing begin', async (t) => {
  let begun = 0
  let pass = () => {}
  const { send } = await startFrame(t, (app) => {
    limitAnswerTime(app, LONGEST)
    const onRequest = () => new Promise<void>((resolve) => (pass = resolve))
    app.post('/guarded', { onRequest }, async () => {
      begun += 1
    })
  })
  isProblem(t, await send('POST /guarded', JSON_BODY), 'unavailable')
  pass()
  await new Promise(setImmediate)
  t.equal(begun, 0)
})

t.test('a reply that a handler has taken over, as for a WebSocket, is left alone', async (t) => {
  const { send, lines } = await startFrame(t, (app) => {
    limitAnswerTime(app, 20)
    app.get('/', async (_request, reply) => {
      reply.hijack()
      await sleep(60)
      reply.raw.writeHead(200, { 'content-type': 'application/json' }).end('{"taken":"over"}')
    })
  })
  t.strictSame((await send('GET /')).body, { taken: 'over' })
  t.strictSame(
    lines.filter(({ level }) => level !== 'info'),
    []
  )
})

t.test('guard and handler have the time together', async (t) => {
  const part = LONGEST * 0.7
  const { send } = await startFrame(t, (app) => {
    limitAnswerTime(app, LONGEST)
    app.get('/', { onRequest: () => sleep(part) }, () => sleep(part, {}))
    app.get('/half', { onRequest: () => sleep(part) }, async () => ({}))
  })
  t.equal((await send('GET /half')).status, 200)
  isProblem(t, await send('GET /'), 'unavailable')
})

t.test('an answer at the very moment of the limit is the one or the other, whole', async (t) => {
  const { send, lines } = await startFrame(t, (app) => {
    limitAnswerTime(app, 20)
    app.get('/', async (_request, reply) => {
      await sleep(20)
      return reply.code(201).send({ late: false })
    })
  })
  const answers = await Promise.all(Array.from({ length: 200 }, () => send('GET /')))
  const whole = answers.map(({ status, body }) => `${status} ${body.code ?? JSON.stringify(body)}`)
  const kinds = [...new Set(whole)].sort()
  t.comment(kinds.map((kind) => `${kind}: ${whole.filter((one) => one === kind).length}`).join(', '))
  const right = ['201 {"late":false}', '503 unavailable']
  t.strictSame(
    kinds.filter((kind) => !right.includes(kind)),
    []
  )
  t.equal(lines.filter(({ msg }) => msg === 'answered').length, 200, 'and each is answered once')
})

t.test(
  'the time that a client takes to send the body is not the answer’s, and who goes away leaves no timer',
  async (t) => {
    let handled = 0
    const { app } = await startFrame(t, (app) => {
      limitAnswerTime(app, LONGEST)
      app.post('/', async () => ({ handled: ++handled }))
      app.get('/held', () => new Promise<never>(() => {}))
    })
    const port = await listen(app)
    const open = () => net.connect(port, '127.0.0.1')
    const slow = open()
    slow.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{')
    await sleep(2 * LONGEST)
    slow.write('}')
    t.match(String((await once(slow, 'data'))[0]), /^HTTP\/1\.1 200 /)
    slow.destroy()

    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = timers()
    const gone = open()
    gone.write('GET /held HTTP/1.1\r\nHost: x\r\n\r\n')
    while (timers() === before) await new Promise(setImmediate)
    // Not only its own side: who has asked may end that and wait.
    gone.resetAndDestroy()
    const destroyed = performance.now()
    while (timers() > before) await new Promise(setImmediate)
    between(t, performance.now() - destroyed, { most: LONGEST / 2 }, 'it ended with its client')
  }
)

t.test('a handler may give its answer more time, and ends then', async (t) => {
  const { send, lines } = await startFrame(t, (app) => {
    limitAnswerTime(app, LONGEST)
    app.get('/soon', async (request) => {
      extendAnswerTime(request, 60_000)
      await sleep(2 * LONGEST)
      return {}
    })
    app.get('/never', (request) => {
      extendAnswerTime(request, LONGEST)
      return new Promise(() => {})
    })
  })
  t.equal((await send('GET /soon')).status, 200)
  const begun = performance.now()
  isProblem(t, await send('GET /never'), 'unavailable')
  between(t, performance.now() - begun, { least: 2 * LONGEST - 1 })
  t.match(lines, [{}, { msg: `no answer within ${2 * LONGEST} ms` }, {}])
})

t.test('without a limit of answers there is nothing to give', async (t) => {
  const { send } = await startFrame(t, (app) => {
    app.get('/', async (request) => {
      extendAnswerTime(request, LONGEST)
      return {}
    })
  })
  t.equal((await send('GET /')).status, 200)
})
