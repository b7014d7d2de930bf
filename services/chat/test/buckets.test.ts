import { randomUUID } from 'node:crypto'
import { isProblem } from '@latchkey/testing/problem'
import t from 'tap'
import { Buckets } from '../src/limits/buckets.ts'
import { makeRoom, startChat } from './app.ts'

t.test('a bucket gives its burst at once, then so many a minute, to each key its own', async (t) => {
  let now = 0
  const buckets = new Buckets({ perMinute: 30, burst: 3, now: () => now })
  t.strictSame(
    [1, 2, 3, 4].map(() => buckets.take('a')),
    [0, 0, 0, 2]
  )
  t.equal(buckets.take('b'), 0)
  now += 1999
  t.equal(buckets.take('a'), 1)
  now += 1
  t.strictSame([buckets.take('a'), buckets.take('a')], [0, 2])
  now += 3_600_000
  t.strictSame(
    [1, 2, 3, 4].map(() => buckets.take('a')),
    [0, 0, 0, 2],
    'no more than the burst is saved'
  )
})

t.test('a hundred thousand keys are counted, and who was longest away is forgotten first', async (t) => {
  const buckets = new Buckets({ perMinute: 1, burst: 1, now: () => 0 })
  buckets.take('old')
  buckets.take('kept')
  for (let n = 0; n < 99_998; n += 1) buckets.take(`${n}`)
  t.equal(buckets.take('kept'), 60)
  buckets.take('one more')
  t.equal(buckets.take('kept'), 60)
  t.equal(buckets.take('old'), 0, 'begins anew')
})

t.test('nobody changes rooms in a loop', async (t) => {
  const chat = await startChat(t)
  const [ada, bob] = [chat.user('Ada'), chat.user('Bob')]
  const room = `/rooms/${await makeRoom(chat, ada)}`
  let refused = await chat.send(bob, `POST ${room}/join`)
  for (let n = 0; n < 40 && refused.status < 400; n += 1) {
    await chat.send(bob, `POST ${room}/leave`)
    refused = await chat.send(bob, `POST ${room}/join`)
  }
  isProblem(t, refused, 'too_many_requests')
  t.equal((await chat.send(ada, `PUT ${room}`, { name: randomUUID() })).status, 200, 'others are not concerned')
  t.equal((await chat.send(bob, `GET ${room}`)).status, 200, 'and reading is not counted')
})
