import { randomUUID } from 'node:crypto'
import t from 'tap'
import { ACTIONS } from '../src/actions/all.ts'
import { answersOf, COLUMNS, ROWS, TABLES } from './agreement.ts'
import { inputOf, makeCase } from './agreement-rooms.ts'
import { makeRoom, startChat } from './app.ts'
import { type Face, graphql, rest, socket } from './faces.ts'

// One more face is one more entry; all of them answer the same.
const FACES: readonly Face[] = [rest, graphql, socket]

const chat = await startChat(t)
const NAMES = ACTIONS.map(({ name }) => name).sort()

t.test('every action has its rows in both tables, and every face has every action', async (t) => {
  t.strictSame([...new Set(Object.values(ROWS).map(({ action }) => action))].sort(), NAMES)
  for (const [state, table] of Object.entries(TABLES)) {
    t.strictSame([...answersOf(table).keys()], Object.keys(ROWS), state)
  }
  for (const face of FACES) t.strictSame([...face.actions].sort(), NAMES, face.name)
})

for (const face of FACES) {
  for (const [state, table] of Object.entries(TABLES)) {
    t.test(`by ${face.name}, who may what in a room that is ${state}`, async (t) => {
      for (const [name, answers] of answersOf(table)) {
        const row = ROWS[name]
        if (!row) throw new TypeError(`no row ${name}`)
        for (const [column, expected] of answers) {
          if (expected === undefined) continue
          const standing = COLUMNS[column as keyof typeof COLUMNS]
          const { user, room, input } = await makeCase(chat, { standing, row, isClosed: state === 'closed' })
          const { code } = await face.ask(chat, user, row.action, input)
          if (code !== expected) t.equal(code, expected, `${name}: ${column}`)
          if (expected !== 'yes' && (await headOf(room)) !== 3) t.fail(`${name}: ${column} changed the room`)
        }
        t.pass(name)
      }
    })
  }

  t.test(`by ${face.name}, an unknown room is not there, for whatever it is asked`, async (t) => {
    const user = chat.user('Ada', { roles: ['user', 'admin'] })
    for (const [name, row] of Object.entries(ROWS)) {
      if (row.action === 'create_room' || row.action === 'list_rooms') continue
      const to = row.to && randomUUID()
      const { code } = await face.ask(chat, user, row.action, inputOf(row, { room: randomUUID(), to, code: undefined }))
      t.equal(code, 'not_found', name)
    }
  })

  t.test(`by ${face.name}, input is refused that is not as documented, and named`, async (t) => {
    const user = chat.user('Ada')
    const room = await makeRoom(chat, user)
    const faults: readonly [action: string, input: Record<string, unknown>, fields: string[]][] = [
      ['create_room', { name: ' ', visibility: 'public' }, ['name']],
      ['create_room', { name: 'x'.repeat(65), visibility: 'public' }, ['name']],
      ['list_rooms', { limit: 101 }, ['limit']],
      ['list_rooms', { after: 'x' }, ['after']],
      ['get_room', { room: 'x' }, ['room']],
      ['rename_room', { room: 'x', name: 'a\nb' }, ['name', 'room']],
      ['join', { room, code: 'x' }, ['code']],
      ['kick', { room, user_id: 'x' }, ['user_id']],
      ['members', { room, limit: 0 }, ['limit']],
      ['bans', { room, after: 'x' }, ['after']],
      ['send', { room, client_id: 'x', text: '' }, ['client_id', 'text']],
      ['send', { room, client_id: randomUUID(), text: 'a\u0000b' }, ['text']],
      ['history', { room, before: 1, after: 1 }, ['after']],
      ['history', { room, before: -1 }, ['before']],
      ['delete', { room, seq: -1 }, ['seq']]
    ]
    for (const [action, input, fields] of faults) {
      const verdict = await face.ask(chat, user, action, input)
      // A place of REST is judged before the others, and alone.
      const isPart = verdict.fields.length > 0 && verdict.fields.every((field) => fields.includes(field))
      t.strictSame(
        [verdict.code, isPart],
        ['invalid_input', true],
        `${action} ${Object.keys(input)}: ${verdict.fields}`
      )
    }
  })
}

async function headOf(room: string): Promise<number | undefined> {
  const [head] = await chat.database.query<{ last_seq: number }>('SELECT last_seq FROM heads WHERE room_id = $1', [
    room
  ])
  return head?.last_seq
}
