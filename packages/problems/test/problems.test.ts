import { readFile } from 'node:fs/promises'
import { PROBLEMS, type ProblemCode } from '@latchkey/problems/codes'
import { Problem, unavailable } from '@latchkey/problems/problem'
import { problemResponse } from '@latchkey/problems/response'
import t from 'tap'

/** Status and challenge of each code as the contract has them, written out again so that a change of the code shows. */
const CONTRACT: Record<ProblemCode, [status: number, challenge?: string]> = {
  missing_token: [401, 'Bearer realm="latchkey"'],
  invalid_request: [400, 'Bearer realm="latchkey", error="invalid_request"'],
  invalid_token: [401, 'Bearer realm="latchkey", error="invalid_token"'],
  token_expired: [401, 'Bearer realm="latchkey", error="invalid_token"'],
  insufficient_scope: [403, 'Bearer realm="latchkey", error="insufficient_scope"'],
  invalid_credentials: [401, 'Bearer realm="latchkey"'],
  invalid_input: [400],
  invalid_code: [400],
  renewal_too_early: [400],
  cross_site: [403],
  signup_closed: [403],
  email_unverified: [403],
  account_disabled: [403],
  email_taken: [409],
  last_admin: [409],
  not_a_member: [403],
  banned: [403],
  insufficient_role: [403],
  room_closed: [409],
  last_owner: [409],
  limit_reached: [409],
  upgrade_required: [426],
  not_found: [404],
  method_not_allowed: [405],
  content_too_large: [413],
  unsupported_media_type: [415],
  too_many_requests: [429],
  internal_error: [500],
  unavailable: [503]
}

const CODES = Object.keys(PROBLEMS) as ProblemCode[]

t.test('the list of codes is that of the contract', async (t) => {
  t.same(CODES.sort(), Object.keys(CONTRACT).sort())
})

for (const code of CODES) {
  t.test(`${code} is answered as the contract has it`, async (t) => {
    const [status, challenge] = CONTRACT[code]
    const problem = new Problem(code, { reason: 'a reason for the log' })
    const { headers, body } = problemResponse(problem, 'r-1')
    t.equal(problem.status, status)
    t.same(headers, {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(challenge && { 'www-authenticate': challenge }),
      ...(code === 'upgrade_required' && { upgrade: 'websocket' })
    })
    t.same(body, {
      type: `urn:latchkey:problem:${code.replaceAll('_', '-')}`,
      title: PROBLEMS[code].title,
      status,
      detail: PROBLEMS[code].detail,
      code,
      request_id: 'r-1'
    })
    t.match(body.type, /^urn:latchkey:problem:[a-z]+(-[a-z]+)*$/)
    t.match(body.title, /^[A-Z][^.]*[^.]$/)
    t.match(body.detail, /^[A-Z].*\.$/)
  })
}

t.test('the private face of a problem is its message and cause, and neither gets into the answer', async (t) => {
  const cause = new Error('SELECT * FROM users')
  const problem = new Problem('invalid_token', { reason: 'kid is /etc/passwd', cause })
  t.match(problem, { name: 'Problem', message: 'kid is /etc/passwd', cause })
  t.notMatch(JSON.stringify(problemResponse(problem, 'r')), /passwd|SELECT/)
})

t.test('without a reason the message of a problem is its public text', async (t) => {
  t.equal(new Problem('not_found').message, PROBLEMS.not_found.detail)
  t.equal(new Problem('not_found', { detail: 'No such session.' }).message, 'No such session.')
})

t.test('Retry-After is whole seconds, rounded up, and never 0', async (t) => {
  const seconds: [number, string][] = [
    [-3, '1'],
    [0, '1'],
    [0.001, '1'],
    [1, '1'],
    [1.001, '2'],
    [14.5, '15'],
    [3600, '3600']
  ]
  for (const [retryAfter, expected] of seconds) {
    const { headers } = problemResponse(new Problem('too_many_requests', { retryAfter }), 'r')
    t.equal(headers['retry-after'], expected, `${retryAfter} s`)
  }
})

t.test('an unavailable service may be asked again after a second, or after what is said', async (t) => {
  const cause = new Error('connection refused')
  t.match(unavailable('database away', undefined, cause), { code: 'unavailable', message: 'database away', cause })
  t.equal(problemResponse(unavailable('x'), 'r').headers['retry-after'], '1')
  t.equal(problemResponse(unavailable('x', 7.2), 'r').headers['retry-after'], '8')
})

t.test('a problem may carry its own text, the faults of the input, and the methods that are allowed', async (t) => {
  const errors = [{ field: 'email', message: 'is required' }]
  const input = problemResponse(new Problem('invalid_input', { errors, detail: 'Two members are wrong.' }), 'r')
  t.match(input.body, { detail: 'Two members are wrong.', errors })
  const method = problemResponse(new Problem('method_not_allowed', { allow: ['GET', 'HEAD'] }), 'r')
  t.equal(method.headers['allow'], 'GET, HEAD')
})

t.test('README.md lists exactly these codes', async (t) => {
  const readme = await readFile(new URL('../../../README.md', import.meta.url), 'utf8')
  const [, section = ''] = readme.split(/^## Errors$/m)
  const [table = ''] = section.split(/^## /m)
  const listed = [...table.matchAll(/^\| *`([a-z_]+)` *\|/gm)].map(([, code]) => code)
  t.same(listed.sort(), CODES.sort())
})

t.test('a problem of the copy that the verifier has built in is a problem too, and nothing else is', async (t) => {
  const copy = Object.assign(new Error('private'), { name: 'Problem', code: 'token_expired', options: {}, status: 401 })
  t.ok(copy instanceof Problem)
  t.ok(new Problem('not_found') instanceof Problem)
  for (const other of [
    new Error('x'),
    Object.assign(new Error('x'), { code: 'not_found', options: {} }),
    undefined,
    {}
  ]) {
    t.notOk((other as object) instanceof Problem)
  }
  class Special extends Problem {}
  t.ok(new Special('not_found') instanceof Problem)
  t.ok(new Special('not_found') instanceof Special)
  t.notOk(new Problem('not_found') instanceof Special)
})
