import t from 'tap'
import { createLogger } from '../src/logger.ts'
import { type Line, startFrame } from './frame.ts'

t.test('lines are JSON with the level as a word, the time in UTC and the service', async (t) => {
  const lines: Line[] = []
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) }
  const log = await createLogger('auth', { NODE_ENV: 'development', LOG_LEVEL: 'warn' }, destination)
  log.info('less than LOG_LEVEL')
  log.warn({ user: 1 }, 'more')
  t.match(lines, [
    { level: 'warn', service: 'auth', user: 1, msg: 'more', time: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/ }
  ])
  t.strictSame(Object.keys(lines[0] ?? {}), ['level', 'time', 'service', 'user', 'msg'], 'and neither process nor host')
})

t.test('an error is its name, code, message, stack and causes: further members may hold rows', async (t) => {
  const lines: Line[] = []
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) }
  const log = await createLogger('auth', { NODE_ENV: 'production', LOG_LEVEL: 'info' }, destination)
  const cause = Object.assign(new RangeError('inner'), {
    code: '23505',
    detail: 'Key (email)=(canary) already exists.'
  })
  log.error({ err: Object.assign(new Error('outer', { cause }), { parameters: ['canary'], cause }) }, 'failed')
  t.match(lines, [
    {
      err: {
        type: 'Error',
        message: 'outer',
        stack: /Error: outer\n\s+at /,
        cause: { type: 'RangeError', code: '23505', message: 'inner', stack: /^RangeError: inner/ }
      }
    }
  ])
  t.equal(JSON.stringify(lines).includes('canary'), false)
})

t.test('an error without a message says what its parts say', async (t) => {
  const lines: Line[] = []
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) }
  const log = await createLogger('auth', { NODE_ENV: 'production', LOG_LEVEL: 'info' }, destination)
  log.warn({ err: new AggregateError([new Error('no way to ::1'), new Error('no way to 127.0.0.1')]) }, 'away')
  t.match(lines, [{ err: { type: 'AggregateError', message: 'no way to ::1; no way to 127.0.0.1' } }])
})

t.test('a request is one line when it is answered, without query, headers and body', async (t) => {
  const { send, lines } = await startFrame(
    t,
    (app) => void app.post('/a/:b', { schema: { hide: true } }, () => ({ c: 'canary' }))
  )
  const headers = {
    authorization: 'Bearer canary',
    cookie: 'canary',
    'user-agent': 'canary',
    'content-type': 'application/json'
  }
  const { status } = await send('POST /a/b?c=canary&canary', { headers, body: '{"d":"canary"}' })
  t.equal(status, 200)
  t.match(lines, [
    {
      level: 'info',
      req: { method: 'POST', path: '/a/b', ip: '127.0.0.1' },
      res: { status: 200 },
      ms: Number,
      msg: 'answered'
    }
  ])
  t.equal(lines.length, 1)
  t.equal(JSON.stringify(lines).includes('canary'), false)
})
