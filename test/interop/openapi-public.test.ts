// Apart from the others, because it takes most of a minute until Schemathesis has made up the longest address.
import t from 'tap'
import { choose, refusedIn, SKIPPED, startPlace } from './schemathesis.ts'

/** They take an address, or belong to one that does. */
const CHOSEN = ['signUp', 'logIn', 'signIn', 'renewCookies', 'updateEmail']

t.test('what signing up and in answers is in the OpenAPI document', { skip: SKIPPED }, async (t) => {
  const { auth, administration } = await startPlace(t)
  const token = await administration()
  const refused = await refusedIn(t, { url: auth.url, token, chosen: choose('include', CHOSEN) })
  // Whether the account of the example is there when it signs in depends on the order.
  const others = refused.filter((line) => line !== 'POST /signin')
  t.strictSame(others, ['POST /refresh', 'PUT /update-email'], 'nobody makes up a password, or a token in a cookie')
})
