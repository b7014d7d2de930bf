import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { unavailable } from '@latchkey/problems/problem'
import { authenticate } from '@latchkey/verifier/http'
import t, { type Test } from 'tap'
import { accessClaims } from '../../testing/src/tokens.ts'
import type { TokenVerifier } from '../src/verifier.ts'

const claims = accessClaims('https://auth.example.com', 'latchkey', 0)

/** Guards a server with this verifier; the answer of one that lets through or throws is a word. */
async function guarded(
  t: Test,
  verify: TokenVerifier['verify'],
  headers: Record<string, string> = {}
): Promise<Response> {
  const verifier: TokenVerifier = { recall: () => undefined, verify }
  const server = createServer((request, response) => {
    authenticate(verifier, request, response).then(
      (user) => user && response.end(`passed ${user.sub}`),
      (error) => response.writeHead(500).end(String(error))
    )
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { headers })
}

const authorization = 'Bearer a.b.c'

t.test('a request with a good token goes on, and knows its user', async (t) => {
  const asked: string[] = []
  const verify = async (token: string) => {
    asked.push(token)
    return claims
  }
  const answer = await guarded(t, verify, { authorization })
  t.equal(await answer.text(), `passed ${claims.sub}`)
  t.same(asked, ['a.b.c'])
})

t.test('a refusal is answered, with all that the error table says', async (t) => {
  const none = await guarded(t, () => Promise.reject(new Error('asked')))
  t.equal(none.headers.get('www-authenticate'), 'Bearer realm="latchkey"')
  t.match(await none.json(), { type: 'urn:latchkey:problem:missing-token', status: 401, code: 'missing_token' })
  const away = await guarded(t, () => Promise.reject(unavailable('no current key set', 4.2)), { authorization })
  t.equal(away.status, 503)
  t.same(
    ['retry-after', 'content-type', 'cache-control', 'www-authenticate'].map((name) => away.headers.get(name)),
    ['5', 'application/problem+json', 'no-store', null]
  )
  t.match(await away.json(), { code: 'unavailable', request_id: /^[\w-]{36}$/ })
})

t.test('what is no refusal is not made one', async (t) => {
  const answer = await guarded(t, () => Promise.reject(new Error('no feed')), { authorization })
  t.equal(await answer.text(), 'Error: no feed')
})
