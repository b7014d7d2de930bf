import t from 'tap'
import { readableLine } from '../src/readable-log.ts'

const plain = { colors: false }
const time = new Date(2026, 0, 2, 3, 4, 5, 67).toISOString()
const line = (members: object) => `${JSON.stringify({ level: 'info', time, service: 'auth', ...members })}\n`

t.test('a request is one line: time, service, method, path, status, duration, client and request', async (t) => {
  const answered = {
    request_id: '9f87d7de-9ab9-4bd9-aa13-572b7a8b973c',
    req: { method: 'POST', path: '/users/:id', ip: '::1' },
    res: { status: 201 },
    ms: 84,
    msg: 'answered'
  }
  t.equal(readableLine(line(answered), plain), '03:04:05.067 auth     POST /users/:id 201 84 ms ::1 #9f87d7de')
  const lost = line({ ...answered, level: 'warn', msg: 'connection lost while answering', reason: 'aborted' })
  t.equal(
    readableLine(lost, plain),
    '03:04:05.067 auth     WARN POST /users/:id 201 84 ms ::1 connection lost while answering reason=aborted #9f87d7de'
  )
})

t.test('an event is its message with its fields', async (t) => {
  const event = line({ service: 'resource', msg: 'logged in', event: 'login', user: 'u1', n: 0.88717, at: ['a', 'b'] })
  t.equal(readableLine(event, plain), '03:04:05.067 resource logged in event=login user=u1 n=0.887 at=[a, b]')
  t.match(readableLine(line({ msg: 'x', name: 'a b" user="root' }), plain), String.raw`name="a b\" user=\"root"`)
  t.match(readableLine(line({ msg: 'x', none: null, on: true, of: { a: 1 } }), plain), 'none=null on=true of={"a":1}')
})

t.test('an error follows with its stack and its causes, in lines of their own', async (t) => {
  const cause = { type: 'RangeError', code: '23505', message: 'inner', stack: '    at b (b.ts:2:2)' }
  const err = { type: 'TypeError', message: 'outer', stack: '    at a (a.ts:1:1)\n    at c (c.ts:1:1)', cause }
  t.strictSame(readableLine(line({ level: 'error', msg: 'failed', err }), plain).split('\n'), [
    '03:04:05.067 auth     ERROR failed',
    '              TypeError: outer',
    '                  at a (a.ts:1:1)',
    '                  at c (c.ts:1:1)',
    '              caused by RangeError [23505]: inner',
    '                  at b (b.ts:2:2)'
  ])
})

t.test('services, statuses and levels have colours of their own, where these are wanted', async (t) => {
  const colored = (members: object) => readableLine(line(members), { colors: true })
  const [auth, resource, chat] = ['auth', 'resource', 'chat'].map((service) => colored({ service, msg: '' }))
  t.equal(new Set([auth, resource, chat].map((text) => /\[(3\d)m/.exec(text ?? '')?.[1])).size, 3)
  const status = (value: number) => colored({ req: { method: 'GET', path: '/' }, res: { status: value } })
  t.match(status(200), '\x1b[32m200\x1b[0m')
  t.match(status(404), '\x1b[33m404\x1b[0m')
  t.match(status(503), '\x1b[31m503\x1b[0m')
  t.match(colored({ level: 'warn', msg: 'x' }), '\x1b[33mWARN\x1b[0m')
  t.notMatch(readableLine(line({ level: 'warn', msg: 'x' }), plain), '\x1b')
})

t.test('what is no line of the log stays as it is', async (t) => {
  for (const text of ['auth: no such setting', '[1]', '"text"', '7', ''])
    t.equal(readableLine(`${text}\n`, plain), text)
  t.equal(readableLine('{"msg":"bare","time":"once"}', plain).trimEnd().replace(/ +/, ' '), 'once bare')
})
