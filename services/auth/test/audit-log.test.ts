import { runAsOwner } from '@latchkey/testing/database'
import { isProblem } from '@latchkey/testing/problem'
import t from 'tap'
import { grantRole } from '../src/administration/actions.ts'
import { refuseTime } from '../src/administration/time.ts'
import { ISSUER, type Person, startAuth } from './app.ts'
import { claimsOf } from './tokens.ts'

const auth = await startAuth(t)
const { send, database, operator } = auth

const seal = () => database.query('SELECT audit_seal(10000)')

async function admin(own: Partial<Person> = {}): Promise<Person> {
  const person = await auth.person(own)
  await grantRole(operator, { id: person.id }, 'admin')
  const { email, password } = person
  const { body } = await send('POST /login', { body: { email, password, resource: ISSUER } })
  return { ...person, ...body }
}

const root = await admin()
const read = (query = '') => send(`GET /audit-log${query}`, { token: root.access_token })

interface Shown {
  readonly seq: number
  readonly event: string
  readonly outcome: string
  readonly at: string
}

/** All records of a search, page by page. */
async function allOf(query: string): Promise<Shown[]> {
  const found: Shown[] = []
  for (let after = ''; ; ) {
    const { body } = await read(`?${query}${after}`)
    found.push(...body.records)
    if (body.next === null) return found
    after = `&after=${body.next}`
  }
}

t.test('a record is shown as it is stored, and what was erased is null', async (t) => {
  const ada = await auth.person()
  await send(`POST /users/${ada.id}/disable`, { token: root.access_token, headers: { 'user-agent': 'Browser/1.0' } })
  await seal()
  const { status, body } = await read(`?user=${ada.id.toUpperCase()}&event=user_disabled`)
  t.equal(status, 200)
  const [row] = await database.query<Record<string, unknown>>(
    `SELECT seq, id, event, outcome, actor_kind, actor_id, session_id, target_kind, target_id, request_id, detail, person_id,
       personal, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at
       FROM audit_records WHERE target_id = $1 AND event = 'user_disabled'`,
    [ada.id]
  )
  t.same(body, { records: [row], next: null })
  t.match(body.records[0], {
    event: 'user_disabled',
    outcome: 'done',
    actor_kind: 'admin',
    actor_id: root.id,
    target_kind: 'user',
    target_id: ada.id,
    person_id: root.id,
    detail: {},
    personal: { ip: '127.0.0.1', user_agent: 'Browser/1.0' }
  })
  await send(`DELETE /users/${ada.id}`, { token: root.access_token })
  const after = await read(`?user=${ada.id}&event=signup`)
  t.match(after.body.records, [{ person_id: ada.id, personal: null }])
})

t.test('each reading is recorded with its filters, as of an administrator, and told in the log', async (t) => {
  const query = `?user=${root.id.toUpperCase()}&event=login&outcome=done&from=2026-01-01T00:00:00Z&limit=3`
  await read(query)
  const told = auth.lines.findLast(({ event }) => event === 'audit_read')
  await seal()
  const filters = { user: root.id, event: 'login', outcome: 'done', from: '2026-01-01T00:00:00Z', limit: '3' }
  const { body } = await read('?event=audit_read&limit=1')
  t.match(body.records, [
    {
      outcome: 'done',
      actor_kind: 'admin',
      actor_id: root.id,
      session_id: claimsOf(root.access_token)['sid'],
      target_kind: null,
      target_id: null,
      request_id: told?.request_id,
      person_id: root.id
    }
  ])
  t.strictSame(body.records[0].detail, { filters })
  t.match(
    auth.lines.findLast(({ event }) => event === 'audit_read'),
    { by: root.id, filters: { event: 'audit_read' } }
  )
})

t.test('what cannot be recorded is not read', async (t) => {
  const own = await startAuth(t)
  const { id, email, password } = await own.person()
  await grantRole(own.operator, { id }, 'admin')
  const login = await own.send('POST /login', { body: { email, password, resource: ISSUER } })
  const token = login.body.access_token
  t.equal((await own.send('GET /audit-log', { token })).status, 200)
  await runAsOwner(
    own.config.DATABASE_URL,
    "ALTER TABLE audit_records ADD CONSTRAINT no CHECK (event <> 'audit_read') NOT VALID"
  )
  const answer = await own.send('GET /audit-log', { token })
  isProblem(t, answer, 'internal_error')
  t.notOk('records' in answer.body)
})

t.test('pages of any size, by every filter, have every record once', async (t) => {
  const ada = await auth.person()
  for (const username of ['a', 'b', 'c', 'd', 'e']) {
    await send('PUT /update-username', { token: ada.access_token, body: { username } })
  }
  await seal()
  const all = await allOf(`user=${ada.id}&limit=100`)
  t.strictSame(
    all.map(({ event }) => event),
    [...Array(5).fill('username_changed'), 'login', 'signup']
  )
  for (const limit of [1, 2, 3, 7]) t.strictSame(await allOf(`user=${ada.id}&limit=${limit}`), all)
  t.strictSame(await allOf(`user=${ada.id}&event=username_changed&limit=2`), all.slice(0, 5))
  t.strictSame(await allOf(`user=${ada.id}&outcome=refused`), [])
  const [from, to] = [all[5]?.at, all[0]?.at]
  t.strictSame(await allOf(`user=${ada.id}&from=${from}&to=${to}`), all.slice(1, 6))
  t.strictSame(await allOf(`from=${from}&user=${ada.id}&after=${all[1]?.seq}`), all.slice(2, 6))
  const [zoned] = [String(from).replace('Z', '%2B00:00')]
  t.strictSame(await allOf(`user=${ada.id}&from=${zoned}`), all.slice(0, 6))
  for (let i = 0; i < 51; i += 1) await read('?limit=1')
  await seal()
  t.equal((await read()).body.records.length, 50)
})

t.test('a filter that is none is refused, each with what to do', async (t) => {
  const refused: Record<string, [field: string, message: RegExp]> = {
    'user=me': ['user', /^must be the id of a user/],
    'event=log_in': ['event', /^must be an event that is audited, as docs\/events\.md lists them$/],
    'event=refresh': ['event', /audited/],
    'outcome=ok': ['outcome', /^must be done, refused or failed$/],
    'from=yesterday': ['from', /^must be a time of RFC 3339/],
    'to=2026-01-31T00:00:00+01:00': ['to', /in a URL, \+ is %2B$/],
    'from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z': ['from', /^must not be later than to$/],
    'after=0': ['after', /^must be the value of next/],
    'after=1e3': ['after', /next/],
    'after=99999999999999999': ['after', /next/],
    'limit=0': ['limit', /^must be a number from 1 to 100$/],
    'limit=101': ['limit', /100/],
    'limit=': ['limit', /100/],
    'limit=1&limit=2': ['limit', /string/],
    'users=x': ['users', /^is not known here$/]
  }
  for (const [query, [field, message]] of Object.entries(refused)) {
    const answer = await read(`?${query}`)
    isProblem(t, answer, 'invalid_input', [field], query)
    t.match(answer.body.errors[0].message, message, query)
  }
  t.equal((await read('?from=2026-01-01t00:00:00z&to=2026-01-01T01:00:00%2B01:00')).status, 200)
  t.strictSame((await read('?after=9007199254740991&limit=1')).status, 200)
})

t.test('a time is one of RFC 3339 that PostgreSQL reads too', async (t) => {
  const times: Record<string, boolean> = {
    '2026-01-31T00:00:00Z': true,
    '2026-01-31t23:59:59.123456z': true,
    '2026-01-31T00:00:00+15:59': true,
    '0001-01-01T00:00:00+15:59': true,
    '9999-12-31T23:59:59-15:59': true,
    '2028-02-29T00:00:00Z': true,
    '2026-02-29T00:00:00Z': false,
    '2026-02-30T00:00:00Z': false,
    '2026-00-01T00:00:00Z': false,
    '2026-13-01T00:00:00Z': false,
    '2026-01-00T00:00:00Z': false,
    '0000-01-01T00:00:00Z': false,
    '2026-01-31T24:00:00Z': false,
    '2026-01-31T00:60:00Z': false,
    '2026-01-31T23:59:60Z': false,
    '2026-01-31T00:00:00+16:00': false,
    '2026-01-31T00:00:00.1234567Z': false,
    '2026-01-31T00:00:00.Z': false,
    '2026-01-31T00:00:00': false,
    '2026-01-31 00:00:00Z': false,
    '2026-01-31': false,
    '20260131T000000Z': false,
    infinity: false,
    now: false,
    '': false
  }
  for (const [text, good] of Object.entries(times)) {
    t.equal(refuseTime(text) === undefined, good, text)
    if (good) await database.query('SELECT $1::timestamptz', [text])
  }
})

t.test('who is no administrator reads nothing, and that is not hidden by a filter', async (t) => {
  const ada = await auth.person()
  const { email, password } = ada
  const own = (await send('POST /login', { body: { email, password, resource: ISSUER } })).body.access_token
  for (const token of [ada.access_token, own]) {
    isProblem(t, await send(`GET /audit-log?user=${ada.id}`, { token }), 'insufficient_scope')
  }
  isProblem(t, await send('GET /audit-log'), 'missing_token')
})
