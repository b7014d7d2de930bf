import { readFile } from 'node:fs/promises'
import { createEmptyDatabase, runStatement } from '@latchkey/testing/database'
import { isProblem } from '@latchkey/testing/problem'
import t from 'tap'
import { migrate } from '../src/schema.ts'
import { findUsers } from '../src/users/find.ts'
import { PASSWORD, startAuth } from './app.ts'

// In Turkish the small letter of I is ı. A database with that locale must still know one address from another as all do.
const TURKISH = "TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'tr-TR'"

t.test('an address is one account in every letter case, whatever the locale of the database', async (t) => {
  const url = await createEmptyDatabase(t, TURKISH)
  await migrate({ url })
  const auth = await startAuth(t, { env: { DATABASE_URL: url } })
  t.strictSame(await auth.database.query("SELECT lower('I') AS small"), [{ small: 'ı' }], 'the locale is Turkish')

  const signUp = (email: string) => auth.send('POST /signup', { body: { email, username: 'Info', password: PASSWORD } })
  t.equal((await signUp('INFO@example.com')).status, 201)
  for (const email of ['info@example.com', 'Info@Example.com', 'iNFO@EXAMPLE.COM', 'INFO@example.com']) {
    isProblem(t, await signUp(email), 'email_taken', [], email)
    t.equal((await auth.send('POST /login', { body: { email, password: PASSWORD } })).status, 200, email)
  }

  await signUp('ida@example.com')
  const found = async (page: { search?: string; after?: string }) =>
    (await findUsers(auth.database, { ...page, limit: 10 })).map(({ email }) => email)
  t.strictSame(await found({}), ['ida@example.com', 'INFO@example.com'])
  t.strictSame(await found({ search: 'INFO' }), ['INFO@example.com'])
  t.strictSame(await found({ search: 'fo@' }), ['INFO@example.com'])
  t.strictSame(await found({ after: 'IDA@example.com' }), ['INFO@example.com'])
})

t.test(
  'accounts that a Turkish database took for two stop the migration, which names them and changes nothing',
  async (t) => {
    const file = new URL('../migrations/20261128000500_addresses-in-any-locale.sql', import.meta.url)
    const [up = '', down = ''] = (await readFile(file, 'utf8')).split('-- Down Migration')
    const url = await createEmptyDatabase(t, TURKISH)
    await migrate({ url })
    await runStatement(url, down)
    const [first, second] = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222']
    const add = (id: string | undefined, email: string, time: string) =>
      runStatement(
        url,
        `INSERT INTO users (id, email, username, password_hash, token_hash, created_at)
       VALUES ('${id}', '${email}', 'Info', '', sha256(''), '${time}')`
      )
    await add(first, 'info@example.com', '2026-01-01')
    await add(second, 'INFO@example.com', '2026-01-02')
    await t.rejects(runStatement(url, up), {
      message: new RegExp(`one address.*: ${first} and ${second}\\. In the table`)
    })
    await runStatement(url, `DELETE FROM users WHERE id = '${second}'`)
    await runStatement(url, up)
    await t.rejects(add(second, 'INFO@example.com', '2026-01-02'), { code: '23505' })
  }
)
