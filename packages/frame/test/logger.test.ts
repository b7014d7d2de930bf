import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { promisify } from 'node:util'
import t from 'tap'
import { createLogger } from '../src/logger.ts'
import { type Line, listen, startFrame } from './frame.ts'

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
        stack: /^ +at .+logger\.test\.ts/,
        cause: { type: 'RangeError', code: '23505', message: 'inner', stack: /^ +at .+logger\.test\.ts/ }
      }
    }
  ])
  t.notMatch(JSON.stringify(lines), 'canary')
})

t.test(
  'of an error the first frames are told, from the folder of the repository on, and the first causes',
  async (t) => {
    const lines: Line[] = []
    const destination = { write: (line: string) => void lines.push(JSON.parse(line)) }
    const log = await createLogger('auth', { NODE_ENV: 'production', LOG_LEVEL: 'info' }, destination)
    const recurse = (depth: number): Error => (depth === 0 ? new Error('deep') : recurse(depth - 1))
    const withCause = (depth: number): Error =>
      depth === 0 ? recurse(9) : new Error(`cause ${depth}`, { cause: withCause(depth - 1) })
    log.error({ err: recurse(9) }, 'deep')
    log.error({ err: withCause(5) }, 'long')
    const [deep, long] = lines as { err?: { stack: string; cause?: { cause?: { cause?: object } } } }[]
    const frames = deep?.err?.stack.split('\n') ?? []
    t.equal(frames.length, 6)
    for (const frame of frames) t.match(frame, /^ +at recurse \(packages\/frame\/test\/logger\.test\.ts:\d+:\d+\)$/)
    t.match(long?.err?.cause?.cause, Object)
    t.equal(long?.err?.cause?.cause?.cause, undefined)
  }
)

t.test('an error without a message says what its parts say', async (t) => {
  const lines: Line[] = []
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) }
  const log = await createLogger('auth', { NODE_ENV: 'production', LOG_LEVEL: 'info' }, destination)
  log.warn({ err: new AggregateError([new Error('no way to ::1'), new Error('no way to 127.0.0.1')]) }, 'away')
  t.match(lines, [{ err: { type: 'AggregateError', message: 'no way to ::1; no way to 127.0.0.1' } }])
})

t.test('a client that is lost while it is answered is told in one line, with its address', async (t) => {
  const { app, lines } = await startFrame(t, (app) => {
    app.get('/', async (request, reply) => {
      request.raw.socket.destroy()
      await once(request.raw.socket, 'close')
      reply.hijack()
      reply.raw.emit('error', new Error('reset'))
    })
  })
  const port = await listen(app)
  const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'))
  await once(
    socket.on('error', () => {}),
    'close'
  )
  await app.close()
  const [lost, ...more] = lines.filter(({ req }) => req !== undefined)
  t.match(lost, { level: 'warn', req: { path: '/', ip: '127.0.0.1' }, reason: 'reset', msg: /^connection lost/ })
  t.strictSame([more, lost?.['err']], [[], undefined])
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
      req: { method: 'POST', path: '/a/:b', ip: '127.0.0.1' },
      res: { status: 200 },
      ms: Number,
      msg: 'answered'
    }
  ])
  t.equal(lines.length, 1)
  t.notMatch(JSON.stringify(lines), 'canary')
})

const FULL = '/dev/full'

t.test(
  'a line that cannot be written is told of at once, as on a full disk',
  { skip: !existsSync(FULL) },
  async (t) => {
    const program = `
    import { follow } from '${new URL('../../events/dist/emit.js', import.meta.url)}'
    import { createLogger } from '${new URL('../dist/logger.js', import.meta.url)}'
    follow(({ name }) => process.stderr.write(name + ' '))
    const log = await createLogger('auth', { NODE_ENV: 'production', LOG_LEVEL: 'info' })
    for (const text of ['one', 'two']) log.info(text)`
    const onFull = 'exec "$0" --input-type=module -e "$1" >"$2"'
    const { stderr } = await promisify(execFile)('bash', ['-c', onFull, process.execPath, program, FULL])
    t.equal(stderr, 'line_lost line_lost ')
  }
)
