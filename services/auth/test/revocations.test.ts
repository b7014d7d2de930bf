import { revocationKey } from '@latchkey/tokens/revocations'
import t from 'tap'
import { disableUser, enableUser, endSessions, grantRole, verifyUser } from '../src/administration/actions.ts'
import { revokeKey } from '../src/keys/signing-keys.ts'
import { openSource } from '../src/revocations/source.ts'
import { revokeEverybody } from '../src/sessions/revocation.ts'
import { PASSWORD, type Person, startAuth } from './app.ts'
import { claimsOf, sidOf } from './tokens.ts'

const auth = await startAuth(t, { env: { REFRESH_REUSE_WINDOW: '0s' } })
const { database, operator, send, login } = auth
const source = openSource(database)

/** The entries that an action leaves in the feed, without the seconds that they have left. */
async function entriesOf(action: () => Promise<unknown>): Promise<unknown[]> {
  await source.pass()
  const { to } = await source.page(null)
  await action()
  await source.pass()
  const { after, entries } = await source.page(to)
  if (after !== to) throw new Error('the place is gone')
  return entries.map(([kind, key, number]) => [kind, key, number])
}

const NEW = 'staple of another kind'

/** What a person can do or suffer, by the only end that the feed is told of: their session's, theirs, or none. */
const ACTIONS: Record<string, { tells: 'session' | 'subject' | 'nothing'; by: (ada: Person) => Promise<unknown> }> = {
  'log out': { tells: 'session', by: (ada) => send('POST /logout', { token: ada.refresh_token }) },
  'end the own session': {
    tells: 'session',
    by: (ada) => send(`DELETE /sessions/${sidOf(ada.access_token)}`, { token: ada.access_token })
  },
  'show a superseded refresh token': {
    tells: 'session',
    by: async (ada) => {
      await send('POST /refresh-token', { token: ada.refresh_token })
      await send('POST /refresh-token', { token: ada.refresh_token })
    }
  },
  'change the password': {
    tells: 'subject',
    by: (ada) =>
      send('POST /change-password', {
        token: ada.access_token,
        body: { current_password: PASSWORD, new_password: NEW }
      })
  },
  'log out everywhere': { tells: 'subject', by: (ada) => send('POST /logout-everywhere', { token: ada.access_token }) },
  'delete the account': {
    tells: 'subject',
    by: (ada) => send('DELETE /me', { token: ada.access_token, body: { current_password: PASSWORD } })
  },
  'get a role': { tells: 'subject', by: (ada) => grantRole(operator, ada, 'editor') },
  'be disabled': { tells: 'subject', by: (ada) => disableUser(operator, ada) },
  'have all sessions ended': { tells: 'subject', by: (ada) => endSessions(operator, ada) },
  'get a role that they have': { tells: 'nothing', by: (ada) => grantRole(operator, ada, 'user') },
  'be enabled and verified': {
    tells: 'nothing',
    by: async (ada) => {
      await enableUser(operator, ada)
      await verifyUser(operator, ada)
    }
  },
  'log in and refresh': {
    tells: 'nothing',
    by: async (ada) => send('POST /refresh-token', { token: (await login(ada)).refresh_token })
  },
  'change the username': {
    tells: 'nothing',
    by: (ada) => send('PUT /update-username', { token: ada.access_token, body: { username: 'Ada L' } })
  },
  'fail to change the password': {
    tells: 'nothing',
    by: (ada) =>
      send('POST /change-password', { token: ada.access_token, body: { current_password: NEW, new_password: NEW } })
  },
  'log out twice': {
    tells: 'session',
    by: async (ada) => {
      await send('POST /logout', { token: ada.refresh_token })
      await send('POST /logout', { token: ada.refresh_token })
    }
  }
}

for (const [name, { tells, by }] of Object.entries(ACTIONS)) {
  t.test(`${name}: the feed is told of ${tells}`, async (t) => {
    const ada = await auth.person()
    const { sub, epoch } = claimsOf(ada.access_token) as { sub: string; epoch: number }
    const entries = {
      session: [['session', revocationKey(sidOf(ada.access_token)), null]],
      subject: [['subject', revocationKey(sub), epoch + 1]],
      nothing: []
    }
    t.strictSame(await entriesOf(() => by(ada)), entries[tells])
  })
}

t.test('a session that one more login evicts is told', async (t) => {
  const ada = await auth.person()
  await database.query(
    `INSERT INTO sessions (id, user_id, created_at, last_used_at, idle_ends_at, ends_at, sweep_on)
     SELECT gen_random_uuid(), $1, now(), now() + interval '1 minute', now() + interval '1 day', now() + interval '1 day', now()::date + 9
       FROM generate_series(1, 99)`,
    [ada.id]
  )
  const entries = await entriesOf(() => login(ada))
  t.strictSame(entries, [['session', revocationKey(sidOf(ada.access_token)), null]])
})

t.test('what is rolled back is told to nobody', async (t) => {
  const ada = await auth.person()
  const entries = await entriesOf(() =>
    database
      .transaction(async (connection) => {
        await endSessions({ ...operator, database: { ...database, transaction: (work) => work(connection) } }, ada)
        throw new Error('rolled back')
      })
      .catch(() => {})
  )
  t.strictSame(entries, [])
})

t.test('a revoked key is told once, and for ever', async (t) => {
  const [key] = await database.query<{ kid: string }>(
    "INSERT INTO signing_keys (kid, kind, first_seen_at) VALUES ('a-key', 'access', now()) RETURNING kid"
  )
  t.ok(key)
  const entries = await entriesOf(async () => {
    t.equal(await revokeKey(database, 'a-key'), 'access')
    t.equal(await revokeKey(database, 'a-key'), 'access')
    t.equal(await revokeKey(database, 'no-key'), undefined)
  })
  t.strictSame(entries, [['key', 'a-key', null]])
  const { entries: all } = await source.page(null)
  t.strictSame(
    all.find(([kind]) => kind === 'key'),
    ['key', 'a-key', null, null]
  )
})

t.test("everybody's end is told before it begins and after it has ended, not of each", async (t) => {
  await auth.person()
  const before = Math.floor(Date.now() / 1000)
  const entries = await entriesOf(() => revokeEverybody(operator, { command: 'test', ahead: 7 }))
  t.equal(entries.length, 2)
  for (const [kind, key, time] of entries as [string, null, number][]) {
    t.strictSame([kind, key], ['all', null])
    t.ok(time >= before + 7 && time <= Date.now() / 1000 + 8)
  }
})
