// Apart from the others, because a minute goes by until Schemathesis has made up the longest address.
import t from 'tap'
import { choose, refusedIn, SKIPPED, startPlace } from './schemathesis.ts'

t.test('what signup and login answer is in the OpenAPI document', { skip: SKIPPED }, async (t) => {
  const { auth, administration } = await startPlace(t)
  const token = await administration()
  t.strictSame(await refusedIn(t, { url: auth.url, token, chosen: choose('include', ['signUp', 'logIn']) }), [])
})
