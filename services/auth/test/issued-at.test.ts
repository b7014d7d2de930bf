// An access token is as old as the question for it, however long the answer takes.
import pg from 'pg'
import t, { type Test } from 'tap'
import { tellEverybody } from '../src/revocations/everybody.ts'
import { PASSWORD, startAuth, type Tokens } from './app.ts'
import { movedClock } from './moved-clock.ts'
import { aStatementWaits } from './sessions.ts'
import { claimsOf } from './tokens.ts'

/** How a lock keeps the answer back after the grant was read. */
const HELD = {
  rotation: 'SELECT FROM sessions FOR UPDATE',
  records: 'LOCK TABLE audit_records IN EXCLUSIVE MODE'
}

/** Everybody is logged out while a request for tokens waits, and its answer comes five seconds later. */
async function tokensFrom(
  t: Test,
  ask: (tokens: Tokens, email: string) => [line: string, sending: object],
  held: keyof typeof HELD
): Promise<{ iat: number; end: number; life: number }> {
  const clock = await movedClock(t)
  const auth = await startAuth(t, { env: { DATABASE_URL: clock.databaseUrl }, now: clock.now })
  const ada = await auth.person()
  const owner = new pg.Client(clock.ownerUrl)
  await owner.connect()
  t.teardown(() => owner.end())
  await owner.query(`BEGIN; ${HELD[held]}`)
  const answered = auth.send(...ask(ada, ada.email))
  await aStatementWaits(auth)
  await tellEverybody(auth.database, 0)
  await clock.advance(5)
  await owner.query('COMMIT')
  const answer = await answered
  t.equal(answer?.status, 200)
  const [{ number } = { number: 0 }] = await auth.database.query<{ number: number }>(
    "SELECT number FROM revocations WHERE kind = 'all' ORDER BY number DESC LIMIT 1"
  )
  const { iat, exp } = claimsOf(answer?.body.access_token) as { iat: number; exp: number }
  return { iat, end: number, life: exp - iat }
}

for (const [what, ask, held] of [
  ['a refresh', ({ refresh_token: token }) => ['POST /refresh-token', { token }], 'rotation'],
  ['a login', (_, email) => ['POST /login', { body: { email, password: PASSWORD } }], 'records'],
  [
    'a changed password',
    ({ access_token: token }) => [
      'POST /change-password',
      { token, body: { current_password: PASSWORD, new_password: 'staple of another kind' } }
    ],
    'records'
  ]
] satisfies [string, Parameters<typeof tokensFrom>[1], keyof typeof HELD][]) {
  t.test(`${what} that waits gives no token from after an end that it has not seen`, async (t) => {
    const { iat, end, life } = await tokensFrom(t, ask, held)
    t.ok(iat < end, `${iat} is before ${end}`)
    t.equal(life, 900)
  })
}
