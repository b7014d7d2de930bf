import { isProblem } from '@latchkey/testing/problem'
import t from 'tap'
import { startAuth } from './app.ts'
import { ask, lineOf, untilWaiting } from './feed.ts'

const SHORT = { REVOCATION_FEED: 'open', ANSWER_TIMEOUT: '2s', PASSWORD_TIMEOUT: '2s' }

t.test(
  'while the database stands still, who asks gets 503 in time, with one line for all; then it goes on',
  async (t) => {
    const auth = await startAuth(t, { env: SHORT })
    const { to } = await ask(auth)
    let release = () => {}
    let held: Promise<unknown> | undefined
    await new Promise<void>((locked) => {
      held = auth.database.transaction(async (connection) => {
        await connection.query('LOCK TABLE revocations IN ACCESS EXCLUSIVE MODE')
        locked()
        await new Promise<void>((resolve) => {
          release = resolve
        })
      })
    })
    const patient = auth.send(lineOf({ after: to, wait: 10 }))
    auth.lines.length = 0
    const begun = performance.now()
    const refused = await Promise.all(Array.from({ length: 10 }, () => auth.send(lineOf({ wait: 0 }))))
    const took = performance.now() - begun
    for (const answer of refused) isProblem(t, answer, 'unavailable')
    t.ok(took < 3000, `${Math.round(took)} ms`)
    release()
    await held?.catch(() => {})
    t.match(await ask(auth), { after: null, to })
    const ada = await auth.person()
    await auth.send('POST /logout', { token: ada.refresh_token })
    t.equal((await patient).status, 200, 'who has waited all the time is told')
    const told = auth.lines.filter(({ msg }) => msg.includes('feed')).map(({ level, msg }) => [level, msg])
    t.strictSame(told, [
      ['warn', 'the revocation feed answers 503'],
      ['info', 'the revocation feed answers again']
    ])
    t.strictSame(
      auth.lines.filter(({ event, req }) => event === 'failed' || JSON.stringify(req ?? '').includes('/revocations')),
      []
    )
  }
)

t.test('a question may wait for longer than any other answer may take', async (t) => {
  const auth = await startAuth(t, { env: { ...SHORT, ANSWER_TIMEOUT: '1s', PASSWORD_TIMEOUT: '1s' } })
  const { to } = await ask(auth)
  t.match(await ask(auth, { after: to, wait: 1.5 }), { after: to, to, more: false })
})

t.test('a change that this instance has committed is told to its feed, a refused request is not', async (t) => {
  const auth = await startAuth(t, { env: { REVOCATION_FEED: 'open' } })
  const ada = await auth.person()
  const { feed } = auth.app
  if (!feed) throw new Error('the feed is off')
  let noticed = 0
  feed.noticed = () => {
    noticed += 1
  }
  await auth.send('GET /me', { token: ada.access_token })
  await auth.send('POST /logout', { token: 'x' })
  t.equal(noticed, 0)
  await auth.send('POST /logout', { token: ada.refresh_token })
  t.equal(noticed, 1)
})

t.test('a thief who shows an old refresh token ends the session, and its end is told', async (t) => {
  const auth = await startAuth(t, { env: { REVOCATION_FEED: 'open', REFRESH_REUSE_WINDOW: '0s' } })
  const ada = await auth.person()
  await auth.send('POST /refresh-token', { token: ada.refresh_token })
  const { to } = await ask(auth)
  const answer = ask(auth, { after: to, wait: 10 })
  await untilWaiting(auth, 1)
  isProblem(t, await auth.send('POST /refresh-token', { token: ada.refresh_token }), 'invalid_token')
  t.match(await answer, { entries: [['session', String, null, Number]] })
})
