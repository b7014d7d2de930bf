import t from 'tap'
import { startAuth } from './app.ts'
import { claimsOf } from './tokens.ts'

const LINE = 'GET /.well-known/oauth-authorization-server'

t.test('the metadata say what is true, and no more', async (t) => {
  const auth = await startAuth(t)
  const { status, headers, body } = await auth.send(LINE)
  t.equal(status, 200)
  t.match(headers, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'public, max-age=300' })
  t.strictSame(body, {
    issuer: 'https://auth.example.com',
    jwks_uri: 'https://auth.example.com/.well-known/jwks.json',
    response_types_supported: [],
    grant_types_supported: [],
    service_documentation: 'https://auth.example.com/docs'
  })
  const { access_token, refresh_token } = await auth.person()
  for (const token of [access_token, refresh_token]) t.equal(claimsOf(token)['iss'], body.issuer)
  for (const url of [body.jwks_uri, body.service_documentation]) {
    t.equal((await auth.send(`GET ${new URL(url).pathname}`)).status, 200, url)
  }
})

t.test('the metadata name the revocation feed where it is on', async (t) => {
  const auth = await startAuth(t, { env: { REVOCATION_FEED: 'open' } })
  t.equal((await auth.send(LINE)).body.revocations_endpoint, 'https://auth.example.com/revocations')
})

t.test('an issuer that ends with a slash is named with it, byte for byte', async (t) => {
  const auth = await startAuth(t, { env: { ISSUER: 'https://Auth.example.com:443/' } })
  const { issuer, jwks_uri } = (await auth.send(LINE)).body
  t.strictSame(
    [issuer, jwks_uri],
    ['https://Auth.example.com:443/', 'https://Auth.example.com:443/.well-known/jwks.json']
  )
  t.equal(claimsOf((await auth.person()).access_token)['iss'], issuer)
})
