import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { openDatabase } from '@latchkey/database/pool'
import { createEmptyDatabase, runStatement } from '@latchkey/testing/database'
import { isProblem } from '@latchkey/testing/problem'
import t from 'tap'
import { migrate } from '../src/schema.ts'
import { makeRoom, startChat, type User } from './app.ts'

t.test('bans are listed by pages, with the name that somebody had, for those who may lift them', async (t) => {
  const chat = await startChat(t)
  const [ada, bob, cyd, dan] = ['Ada', 'Bob', 'Cyd', 'Dan'].map((name) => chat.user(name)) as [User, User, User, User]
  const room = `/rooms/${await makeRoom(chat, ada)}`
  for (const user of [bob, cyd]) await chat.send(user, `POST ${room}/join`)
  await chat.send(cyd, `POST ${room}/messages`, { client_id: randomUUID(), text: 'x' })
  await chat.send(cyd, `POST ${room}/leave`)
  for (const { id } of [bob, cyd, dan]) await chat.send(ada, `PUT ${room}/bans/${id}`)
  const page = await chat.send(ada, `GET ${room}/bans?limit=2`)
  const rest = await chat.send(ada, `GET ${room}/bans?limit=2&after=${page.body.next}`)
  t.equal(page.body.bans.length, 2)
  t.equal(rest.body.next, null)
  const names = new Map([
    [bob.id, 'Bob'],
    [cyd.id, 'Cyd'],
    [dan.id, null]
  ])
  t.match(
    [...page.body.bans, ...rest.body.bans],
    [...names.keys()].sort().map((id) => ({ user_id: id, username: names.get(id), by_id: ada.id, created_at: String }))
  )
  await chat.send(ada, `DELETE ${room}/bans/${bob.id}`)
  t.equal((await chat.send(ada, `GET ${room}/bans`)).body.bans.length, 2)
  isProblem(t, await chat.send(bob, `GET ${room}/bans`), 'not_a_member')
})

t.test('a migration gives older bans the names that their events have', async (t) => {
  const url = await createEmptyDatabase(t)
  const users = { url, serviceUrl: url }
  await migrate(users)
  await runStatement(url, await partOf('Down'))
  const ids = 'a b c'.split(' ').map((letter) => `${letter.repeat(8)}-0000-4000-8000-000000000000`)
  const [room, bob, dan] = ids as [string, string, string]
  await runStatement(
    url,
    `INSERT INTO rooms (id, name, visibility, created_by) VALUES ('${room}', 'Tea', 'public', '${bob}');
     INSERT INTO bans (room_id, user_id, by_id) VALUES ('${room}', '${bob}', '${dan}'), ('${room}', '${dan}', '${bob}');
     INSERT INTO events (room_id, seq, kind, actor_id, actor_name, target_id, data)
     VALUES ('${room}', 1, 'banned', '${dan}', 'Dan', '${bob}', '{"username": "Bobby"}'),
            ('${room}', 2, 'banned', '${dan}', 'Dan', '${bob}', '{"username": "Bob"}')`
  )
  await runStatement(url, await partOf('Up'))
  const database = openDatabase({ DATABASE_URL: url, DATABASE_POOL_SIZE: 1, ANSWER_TIMEOUT: 10 }, () => {})
  t.teardown(() => database.close())
  t.strictSame(await database.query('/* test */ SELECT user_id, username FROM bans ORDER BY user_id'), [
    { user_id: bob, username: 'Bob' },
    { user_id: dan, username: null }
  ])
})

/** The statements of one part of the migration. */
async function partOf(part: 'Up' | 'Down'): Promise<string> {
  const text = await readFile(new URL('../migrations/20261129001000_names-of-the-banned.sql', import.meta.url), 'utf8')
  const [, up = '', down = ''] = text.split(/^-- (?:Up|Down) Migration$/m)
  return part === 'Up' ? up : down
}
