import t from 'tap'
import { isProblem } from '../../../packages/service/test/problem.ts'
import { startAuth } from './app.ts'

const auth = await startAuth(t)

/** The paths of the contract with their methods. */
const PATHS = {
  '/signup': ['POST'],
  '/login': ['POST'],
  '/refresh-token': ['GET', 'POST'],
  '/change-password': ['POST'],
  '/update-username': ['PUT'],
  '/me': ['DELETE', 'GET', 'HEAD'],
  '/.well-known/jwks.json': ['GET', 'HEAD'],
  '/.well-known/oauth-authorization-server': ['GET', 'HEAD'],
  '/healthz': ['GET', 'HEAD'],
  '/readyz': ['GET', 'HEAD'],
  '/docs': ['GET', 'HEAD'],
  '/openapi.json': ['GET', 'HEAD']
}
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']

for (const [path, methods] of Object.entries(PATHS)) {
  t.test(`${path} answers ${methods.join(' and ')}, and names them to who asks otherwise`, async (t) => {
    for (const method of METHODS) {
      const answer = await auth.send(`${method} ${path}`)
      if (methods.includes(method)) t.equal([404, 405].includes(answer.status), false, method)
      else if (method === 'HEAD') t.match(answer, { status: 405, headers: { allow: methods.join(', ') }, body: '' })
      else {
        isProblem(t, answer, 'method_not_allowed', [], method)
        t.equal(answer.headers['allow'], methods.join(', '))
      }
    }
  })
}

t.test('a body does not keep a wrong method from being refused as such', async (t) => {
  for (const headers of [{ 'content-type': 'text/plain' }, { 'content-type': 'application/json' }]) {
    isProblem(t, await auth.send('PUT /login', { body: 'x', headers }), 'method_not_allowed')
  }
})

t.test('other paths are not found', async (t) => {
  for (const path of [
    '/',
    '/nothing',
    '/login/',
    '//login',
    '/LOGIN',
    '/login/x',
    '/login;x',
    '/me/..',
    '/docs/nothing'
  ]) {
    for (const method of ['GET', 'POST', 'DELETE']) {
      isProblem(t, await auth.send(`${method} ${path}`), 'not_found', [], `${method} ${path}`)
    }
  }
})

t.test('a path that cannot be decoded is refused', async (t) => {
  for (const path of ['/%zz', '/login%', '/%c3%28', '/me%ff']) {
    isProblem(t, await auth.send(`GET ${path}`), 'invalid_input', ['path'], path)
  }
})

t.test('no endpoint knows a member of the query, and none is done that has one', async (t) => {
  const { email, password, access_token, refresh_token } = await auth.person()
  const bodies: Record<string, object> = {
    '/signup': { email: 'new@example.com', username: 'New', password },
    '/login': { email, password },
    '/change-password': { current_password: password, new_password: 'another harbour' },
    '/update-username': { username: 'New' },
    '/me': { current_password: password }
  }
  const state = () => auth.database.query('SELECT * FROM users FULL JOIN sessions ON user_id = users.id')
  const before = await state()
  for (const [path, methods] of Object.entries(PATHS)) {
    if (path === '/docs' || path === '/openapi.json') continue
    for (const method of methods.filter((method) => method !== 'HEAD')) {
      const token = path === '/refresh-token' ? refresh_token : access_token
      const line = `${method} ${path}?role=admin&access_token=x&a=1&a=2&__proto__=x`
      const answer = await auth.send(line, { token, ...(bodies[path] && method !== 'GET' && { body: bodies[path] }) })
      isProblem(t, answer, 'invalid_input', ['role', 'access_token', 'a', '__proto__'], `${method} ${path}`)
    }
  }
  t.same(await state(), before)
})
