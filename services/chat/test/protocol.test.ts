// PROTOCOL.md and the code say the same.
import { readFile } from 'node:fs/promises'
import { CLOSE_CODES } from '@latchkey/metrics/chat-metrics'
import t from 'tap'
import { ACTIONS } from '../src/actions/all.ts'
import { KINDS } from '../src/events/event.ts'
import { CLOSES, CLOSES_OF_LIBRARY } from '../src/sockets/closes.ts'
import { MESSAGE_TYPES } from '../src/sockets/messages.ts'
import { REQUEST_TYPES } from '../src/sockets/requests.ts'

const document = await readFile(new URL('../PROTOCOL.md', import.meta.url), 'utf8')

/** The rows of the tables of a section, each with its cells. */
function rowsOf(title: string): string[][] {
  const section = document.split(/^## /m).find((text) => text.startsWith(`${title}\n`)) ?? ''
  const lines = section.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('|---'))
  return lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim())
  )
}

const words = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word)

t.test('every request stands in it, and every member that its schema has', async (t) => {
  const rows = new Map(rowsOf('Requests').map(([type, members]) => [words(type)[0] ?? '', words(members)]))
  rows.delete('type')
  t.strictSame([...rows.keys()].sort(), [...REQUEST_TYPES].sort())
  for (const { name, input } of ACTIONS) {
    const expected = Object.keys(input.properties).map((member) =>
      input.required?.includes(member) ? member : `${member}?`
    )
    t.strictSame([...(rows.get(name) ?? [])].sort(), expected.sort(), name)
  }
})

t.test('every message and every kind of event stands in it', async (t) => {
  const types = rowsOf('Messages').map(([first]) => words(first))
  const kinds = types.slice(types.findIndex(([type]) => type === 'kind') + 1).flat()
  const messages = types
    .slice(
      1,
      types.findIndex(([type]) => type === 'kind')
    )
    .flat()
  t.strictSame(messages.sort(), [...MESSAGE_TYPES].sort())
  t.strictSame(kinds.sort(), [...KINDS].sort())
})

t.test('every close code and reason stands in it', async (t) => {
  const listed = rowsOf('Close codes')
    .slice(1)
    .map(([code, reason]) => `${code} ${words(reason).join()}`)
  // 1000 is the client's, 1006 nobody sends.
  const others = [1000, 1006, ...CLOSES_OF_LIBRARY].map((code) => `${code} `)
  const sent = Object.values(CLOSES).map(({ code, reason }) => `${code} ${reason}`)
  t.strictSame(listed.sort(), [...sent, ...others].sort())
})

t.test('each close code of the service is counted by itself, and not as another one', async (t) => {
  const known: readonly string[] = CLOSE_CODES
  const all = [...Object.values(CLOSES).map(({ code }) => code), ...CLOSES_OF_LIBRARY]
  t.strictSame(
    all.filter((code) => !known.includes(String(code))),
    []
  )
})
