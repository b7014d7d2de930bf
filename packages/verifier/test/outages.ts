import type { FakeIssuer } from './fake-issuer.ts'

/** What an issuer may do instead of answering with its keys. */
export const OUTAGES: Readonly<Record<string, (issuer: FakeIssuer) => void>> = {
  'answers 500': (issuer) => issuer.answers(() => new Response('oops', { status: 500 })),
  stalls: (issuer) => issuer.stalls(),
  'refuses connections': (issuer) => issuer.fails(),
  'shows a page': (issuer) =>
    issuer.answers(() => new Response('<html>maintenance</html>', { headers: { 'content-type': 'text/html' } })),
  'says too much': (issuer) => issuer.answers(() => new Response(`{"keys":[]}${' '.repeat(256 * 1024)}`)),
  'has no key': (issuer) => issuer.publishes([]),
  'has a weak key alone': (issuer) => issuer.publishes([{ kty: 'RSA', n: 'AQAB', e: 'AQAB', kid: 'weak' }]),
  redirects: (issuer) =>
    issuer.answers(() => new Response(null, { status: 302, headers: { location: 'https://elsewhere.example/' } }))
}
