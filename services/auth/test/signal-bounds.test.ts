// What receivers of Shared Signals, and strangers, may cost.
import { unavailable } from '@latchkey/problems/problem'
import t from 'tap'
import { disableUser } from '../src/administration/actions.ts'
import { knownStreams } from '../src/signals/known-streams.ts'
import type { UnsignedSet } from '../src/signals/set.ts'
import { createSetSigner } from '../src/signals/signed.ts'
import { addStream } from '../src/signals/streams.ts'
import { startAuth } from './app.ts'
import { testKeys } from './keys.ts'

const ID = '00000000-0000-4000-8000-000000000001'
const PUSHED = '00000000-0000-4000-8000-000000000002'

/** The table of streams, and how often it was read. */
function table() {
  const rows: { id: string; hash: Buffer | null }[] = []
  const it = { rows, reads: 0, isAway: false, now: 0 }
  const query = async () => {
    it.reads += 1
    if (it.isAway) throw unavailable('the database is away')
    return [...rows]
  }
  const known = knownStreams({ query: query as never }, () => it.now)
  return { it, known }
}

t.test('however many strangers ask, the streams are read ten times a second at most', async (t) => {
  const { it, known } = table()
  for (let time = 0; time < 2000; time += 10) {
    it.now = time
    const asked = await Promise.all([...Array.from({ length: 5 }, () => known.hashOf(ID)), known.any()])
    t.strictSame(new Set(asked), new Set([undefined, false]))
  }
  t.equal(it.reads, 20)
  const hash = Buffer.alloc(32)
  it.rows.push({ id: ID, hash }, { id: PUSHED, hash: null })
  it.now += 100
  t.equal(await known.hashOf(ID), hash, 'a new stream is there in a tenth of a second')
  const reads = it.reads
  for (let n = 0; n < 99; n += 1) {
    it.now += 10
    t.equal(await known.hashOf(ID), hash)
    t.equal(await known.any(), true)
  }
  t.equal(it.reads, reads, 'one that is known is not read for a second')
  t.equal(await known.hashOf(PUSHED), undefined)
  it.rows.length = 0
  it.now += 1000
  t.strictSame([await known.hashOf(ID), await known.any()], [undefined, false], 'nor is it known for longer')
})

t.test('a failure to read the streams is not remembered', async (t) => {
  const { it, known } = table()
  it.isAway = true
  await t.rejects(known.hashOf(ID), { code: 'unavailable' })
  it.isAway = false
  t.equal(await known.hashOf(ID), undefined)
})

t.test('a SET is signed once as long as its key signs, and what is kept is bounded', async (t) => {
  const [one, two] = [(await testKeys()).access, (await testKeys()).access]
  let access = one
  let signed = 0
  const ring = {
    get current() {
      return access.current
    }
  }
  const sign = createSetSigner(ring as typeof access, async ({ jti }) => {
    signed += 1
    if (jti === 'bad') throw unavailable('no key signs')
    return `${jti} by ${access.current.kid}`
  })
  const sets = (count: number, from = 0) =>
    Array.from({ length: count }, (_, n) => ({ jti: String(from + n) }) as UnsignedSet)
  for (let poll = 0; poll < 5; poll += 1) t.equal(Object.keys(await sign(sets(100))).length, 100)
  t.equal(signed, 100)
  access = two
  t.strictSame(await sign(sets(1)), { 0: `0 by ${two.current.kid}` })
  await sign(sets(3200, 1000))
  signed = 0
  await sign(sets(3200, 1000))
  t.equal(signed, 0)
  await sign(sets(1))
  t.equal(signed, 1, 'the oldest was forgotten')
  for (let poll = 0; poll < 2; poll += 1) await t.rejects(sign([{ jti: 'bad' } as UnsignedSet]))
  t.equal(signed, 3, 'a failure is not kept')
})

t.test('a receiver that never acknowledges gets the same texts', async (t) => {
  const auth = await startAuth(t)
  const added = await auth.database.transaction((on) => addStream(on, { method: 'poll', audience: 'a' }))
  await disableUser(auth.operator, await auth.person())
  await auth.database.query('SELECT audit_seal(1000)')
  const poll = async () =>
    (await auth.send(`POST /signals/${added?.id}`, { token: added?.token, body: { returnImmediately: true } })).body
  const first = await poll()
  t.equal(Object.keys(first.sets).length, 2)
  t.strictSame((await poll()).sets, first.sets)
})
