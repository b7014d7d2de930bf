import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fromCookie, fromHeader, fromHeaderOrCookie, requireOwnSite, type TokenFrom } from '@latchkey/verifier'
import accessTokens from '@latchkey/verifier/fastify'
import { authenticate } from '@latchkey/verifier/http'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { accessClaims } from '../../testing/src/tokens.ts'
import type { TokenVerifier } from '../src/verifier.ts'

const issuer = 'https://auth.example.com'
const origins = ['https://app.example.com']
const claims = accessClaims(issuer, 'latchkey', 0)

/** Header lines, and by which reader they have a token: its text, or the code of the refusal. */
const REQUESTS: { about: string; method?: string; headers: string[]; header: string; cookie: string; both: string }[] =
  [
    { about: 'nothing', headers: [], header: 'missing_token', cookie: 'missing_token', both: 'missing_token' },
    { about: 'a header', headers: ['Authorization', 'Bearer h'], header: 'h', cookie: 'missing_token', both: 'h' },
    { about: 'a cookie', headers: ['Cookie', '__Host-token=c'], header: 'missing_token', cookie: 'c', both: 'c' },
    {
      about: 'a header and a cookie',
      headers: ['Cookie', '__Host-token=c', 'authorization', 'Bearer h'],
      header: 'h',
      cookie: 'c',
      both: 'h'
    },
    {
      about: 'a header of another scheme and a cookie',
      headers: ['Cookie', '__Host-token=c', 'Authorization', 'Basic YTpi'],
      header: 'missing_token',
      cookie: 'c',
      both: 'missing_token'
    },
    {
      about: 'two cookies',
      headers: ['Cookie', '__Host-token=c; __Host-token=c'],
      header: 'missing_token',
      cookie: 'invalid_request',
      both: 'invalid_request'
    },
    {
      about: 'a header and two cookies',
      headers: ['Cookie', '__Host-token=c; __Host-token=d', 'Authorization', 'Bearer h'],
      header: 'h',
      cookie: 'invalid_request',
      both: 'h'
    },
    {
      about: 'a POST of another site',
      method: 'POST',
      headers: ['Cookie', '__Host-token=c', 'Sec-Fetch-Site', 'cross-site', 'Origin', 'https://evil.example'],
      header: 'missing_token',
      cookie: 'cross_site',
      both: 'cross_site'
    },
    {
      about: 'a GET of another site',
      headers: ['Cookie', '__Host-token=c', 'Sec-Fetch-Site', 'cross-site'],
      header: 'missing_token',
      cookie: 'c',
      both: 'c'
    },
    {
      about: 'a DELETE of a listed page',
      method: 'DELETE',
      headers: ['Cookie', '__Host-token=c', 'Sec-Fetch-Site', 'same-site', 'Origin', 'https://app.example.com'],
      header: 'missing_token',
      cookie: 'c',
      both: 'c'
    },
    {
      about: 'a POST of another site with a header',
      method: 'POST',
      headers: ['Cookie', '__Host-token=c', 'Sec-Fetch-Site', 'cross-site', 'Authorization', 'Bearer h'],
      header: 'h',
      cookie: 'cross_site',
      both: 'h'
    }
  ]
const READERS = {
  header: fromHeader,
  cookie: fromCookie({ issuer, origins }),
  both: fromHeaderOrCookie({ issuer, origins })
}

/** Lets every token pass, and is answered with it. */
const verifier: TokenVerifier = {
  recall: () => undefined,
  verify: async (token) => ({ ...claims, preferred_username: token })
}

t.test('each reader finds its token, in Fastify and in node:http', async (t) => {
  for (const [name, tokenFrom] of Object.entries(READERS)) {
    for (const { about, method = 'GET', headers: rawHeaders, ...expected } of REQUESTS) {
      const wanted = expected[name as keyof typeof READERS]
      let seen: string
      try {
        seen = tokenFrom({ method, rawHeaders: ['Host', 'api.example.com', ...rawHeaders] })
      } catch (error) {
        seen = String(Object(error).code)
      }
      t.equal(seen, wanted, `${about}, by ${name}`)
      for (const guard of [inFastify, inHttp]) t.equal(await guard(t, tokenFrom, { method, rawHeaders }), wanted, about)
    }
  }
})

interface Asked {
  readonly method: string
  readonly rawHeaders: readonly string[]
}

async function inFastify(t: Test, tokenFrom: TokenFrom, asked: Asked): Promise<string> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(accessTokens, { verifier, tokenFrom })
  app.all('/', { onRequest: app.requireAccessToken }, async ({ user }) => ({ code: user.preferred_username }))
  return ask(await app.listen({ port: 0, host: '127.0.0.1' }), asked)
}

async function inHttp(t: Test, tokenFrom: TokenFrom, asked: Asked): Promise<string> {
  const server = createServer(async (request, response) => {
    const user = await authenticate(verifier, request, response, { tokenFrom })
    if (user) response.end(JSON.stringify({ code: user.preferred_username }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return ask(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked)
}

async function ask(url: string, { method, rawHeaders }: Asked): Promise<string> {
  const headers = rawHeaders.flatMap((name, i) =>
    i % 2 === 0 ? [[name, rawHeaders[i + 1] ?? ''] as [string, string]] : []
  )
  const { default: http } = await import('node:http')
  const request = http.request(url, { method, headers: Object.fromEntries(headers), agent: false })
  request.end()
  const [response] = await once(request, 'response')
  let body = ''
  for await (const part of response) body += part
  return JSON.parse(body).code
}

t.test('a thrown refusal of another site has its status, for error handlers', async (t) => {
  const request = { method: 'POST', rawHeaders: ['Sec-Fetch-Site', 'cross-site'], headers: {} } as never
  const options = { tokenFrom: READERS.cookie }
  await t.rejects(authenticate(verifier, request, undefined, options), { code: 'cross_site', statusCode: 403 })
})

t.test('the rule alone guards routes that need no token', async (t) => {
  const foreign = { method: 'POST', rawHeaders: ['Origin', 'https://evil.example', 'Host', 'api.example.com'] }
  t.throws(() => requireOwnSite(foreign, { issuer, origins }), { code: 'cross_site', status: 403 })
  t.doesNotThrow(() => requireOwnSite({ method: 'POST', rawHeaders: [] }, { issuer, origins }))
})

t.test('COOKIE_DOMAIN and an issuer over http change the name of the cookie', async (t) => {
  const read = (tokenFrom: TokenFrom, cookie: string) => tokenFrom({ method: 'GET', rawHeaders: ['Cookie', cookie] })
  t.equal(read(fromCookie({ issuer, cookieDomain: 'example.com' }), '__Secure-token=a; __Host-token=b; token=c'), 'a')
  t.equal(read(fromCookie({ issuer: 'http://127.0.0.1:9090' }), '__Secure-token=a; __Host-token=b; token=c'), 'c')
})

t.test('an option that cannot work is a TypeError that names it', async (t) => {
  const make = (options: unknown) => () => fromCookie(options as { issuer: string })
  for (const [options, message] of [
    [undefined, /options/],
    [{}, /url|issuer/],
    [{ issuer: 'auth.example.com' }, /url/],
    [{ issuer, cookieDomain: '' }, /cookieDomain/],
    [{ issuer, origins: 'https://app.example.com' }, /origins/],
    [{ issuer, origins: [7] }, /origins/]
  ] as const) {
    t.throws(make(options), { name: 'TypeError', message }, JSON.stringify(options))
  }
  const app = Fastify()
  await t.rejects(async () => app.register(accessTokens, { verifier, tokenFrom: 'cookie' as never }), /tokenFrom/)
  await t.rejects(authenticate(verifier, {} as never, undefined, { tokenFrom: 'cookie' as never }), /tokenFrom/)
})
