import type { IncomingMessage } from 'node:http'
import t from 'tap'
import { loggedPaths } from '../src/logged-path.ts'

const ID = '0d6c6ab0-2b9c-4c62-9b3d-0c1f1e8a9a11'
const pathOf = loggedPaths(new Set(['/', '/login', '/users/:id/roles', '/.well-known/jwks.json', '/docs/static/*']))

t.test('a path with a route is its pattern, with the ids', async (t) => {
  const patterns: [route: string, params: object, logged: string][] = [
    ['/login', {}, '/login'],
    ['/docs/static/*', { '*': 'canary' }, '/docs/static/*'],
    ['/users/:id/roles', { id: ID }, `/users/${ID}/roles`],
    ['/users/:id/roles', { id: ID.toUpperCase() }, `/users/${ID.toUpperCase()}/roles`],
    ['/users/:id/roles', { id: 'canary' }, '/users/:id/roles'],
    ['/users/:id/roles', { id: `${ID}canary` }, '/users/:id/roles'],
    ['/users/:id/roles', {}, '/users/:id/roles']
  ]
  for (const [route, params, logged] of patterns) {
    t.equal(pathOf({ params, raw: { url: '/canary' } as IncomingMessage }, route), logged, JSON.stringify(params))
  }
})

t.test('a path without a route shows what is known of it, and how many parts it has', async (t) => {
  const paths: [url: string | undefined, logged: string][] = [
    ['/api/login', '/*/login'],
    ['/api/login?canary', '/*/login'],
    ['/login?/users', '/login'],
    ['/login/', '/login/'],
    ['//login', '//login'],
    ['/LOGIN', '/*'],
    ['/%6cogin/x', '/*/*'],
    [`/users/${ID}/nothing`, `/users/${ID}/*`],
    ['/users/eyJhbGciOiJSUzI1NiJ9.e30.c2ln/roles', '/users/*/roles'],
    ['/.well-known/openid-configuration', '/.well-known/*'],
    ['http://canary/login', '*//*/login'],
    ['*', '*'],
    ['', ''],
    [undefined, ''],
    ['/a'.repeat(8000), '/*/*/*/*/*/*/*']
  ]
  for (const [url, logged] of paths) {
    t.equal(pathOf({ params: null, raw: { url } as IncomingMessage }, undefined), logged, String(url).slice(0, 60))
  }
})
