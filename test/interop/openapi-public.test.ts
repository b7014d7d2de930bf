// Apart from the others, because it takes most of a minute until Schemathesis has made up the longest address.
import t from 'tap'
import { choose, refusedIn, SKIPPED, startPlace } from './schemathesis.ts'

/** They take an address, or belong to one that does. */
const CHOSEN = ['signUp', 'logIn', 'signIn', 'renewCookies', 'updateEmail']

t.test('what signing up and in answers is in the OpenAPI document', { skip: SKIPPED }, async (t) => {
  const { auth, administration } = await startPlace(t)
  const token = await administration()
  const refused = await refusedIn(t, { url: auth.url, token, chosen: choose('include', CHOSEN) })
  const expected = ['POST /refresh', 'POST /signin', 'PUT /update-email']
  t.strictSame(refused, expected, 'nobody makes up the right password, or a token in a cookie')
})
