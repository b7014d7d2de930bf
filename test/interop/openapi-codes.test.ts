// Apart from the others, because it takes most of a minute until Schemathesis has made up the longest address.
import t from 'tap'
import { choose, refusedIn, SKIPPED, startPlace } from './schemathesis.ts'

t.test('what the endpoints that take a code answer is in the OpenAPI document', { skip: SKIPPED }, async (t) => {
  const { auth, administration } = await startPlace(t)
  const token = await administration()
  const chosen = choose('include', ['verifyEmail', 'resetPassword'])
  // Their paths are pages for people as well, whose GET is not in the document.
  const without = ['allow_header_conformance', 'unsupported_method']
  t.strictSame(await refusedIn(t, { url: auth.url, token, chosen, without }), [])
})
