import t from 'tap'
import { startChat } from '../pair.ts'
import { refusedIn, SKIPPED, startPlace } from './schemathesis.ts'

t.test('what the chat answers with a token is in its OpenAPI document', { skip: SKIPPED }, async (t) => {
  const { auth, logIn } = await startPlace(t)
  const noFeed = { FEED_URL: '', FEED_WHEN_CUT: '' }
  const chat = await startChat(t, auth, { ...noFeed, LOG_LEVEL: 'warn', MESSAGES_PER_MINUTE: '100000' })
  const { access_token: token } = await logIn()
  t.strictSame(await refusedIn(t, { url: chat.url, token }), [])
})
