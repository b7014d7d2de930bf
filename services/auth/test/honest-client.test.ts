import fc from 'fast-check'
import t from 'tap'
import { type Auth, type Person, startAuth } from './app.ts'
import { movedClock } from './moved-clock.ts'

const clock = await movedClock(t)
const env = { DATABASE_URL: clock.databaseUrl }
const one = await startAuth(t, { env, now: clock.now })
const two = await startAuth(t, { env, now: clock.now, keys: one.keys })

// What an honest client does: its tabs refresh with the newest token that the client has, some of them at once; answers
// get lost, and then the tab asks again with the token that it sent, within the window of 30 s. Then time passes.
const tab = fc.record({ lost: fc.nat({ max: 2 }), pause: fc.constantFrom(0, 9) })
const round = fc.record({
  tabs: fc.array(tab, { minLength: 1, maxLength: 5 }),
  pass: fc.constantFrom(0, 1, 40, 900, 86_400, 20 * 86_400)
})

let people = 0

t.test('a client that uses its newest token and repeats what was lost is never logged out', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 8 }), async (rounds) => {
      people += 1
      const ada: Person = await one.person({ email: `honest${people}@example.com` })
      const end = clock.now() + 89 * 86_400_000
      let newest = ada.refresh_token
      for (const { tabs, pass } of rounds) {
        if (clock.now() + pass * 1000 > end) break
        await clock.advance(pass)
        const sent = newest
        // All tabs ask at once; those that lost the answer ask again, all of them within the window.
        let waiting = tabs.map(({ lost }) => lost)
        while (waiting.length > 0) {
          const answers = await Promise.all(waiting.map((_, i) => refresh(i % 2 ? one : two, sent)))
          const arrived = answers.filter((_, i) => waiting[i] === 0)
          newest = arrived.at(-1) ?? newest
          waiting = waiting.filter((lost) => lost > 0).map((lost) => lost - 1)
          if (waiting.length > 0) await clock.advance(tabs[0]?.pause ?? 0)
        }
      }
    }),
    { numRuns: 40, endOnFailure: false }
  )
  t.pass(`${people} clients`)
})

async function refresh(at: Auth, token: string): Promise<string> {
  const { status, body } = await at.send('POST /refresh-token', { token })
  if (status !== 200) throw new Error(`logged out: ${status}`)
  return body.refresh_token
}

t.test('one that repeats a lost refresh only after the window is: that is the price of noticing theft', async (t) => {
  const ada = await one.person()
  await refresh(one, ada.refresh_token)
  await clock.advance(31)
  await t.rejects(refresh(two, ada.refresh_token), { message: 'logged out: 401' })
})
