import { readFile } from 'node:fs/promises'
import { CloseCode } from 'graphql-ws'
import t from 'tap'
import { LIMITS } from '../src/graphql/limits.ts'
import { MOST_OPERATIONS } from '../src/graphql/operations.ts'
import { CLOSES } from '../src/sockets/closes.ts'

const text = await readFile(new URL('../GRAPHQL.md', import.meta.url), 'utf8')
const rowsOf = (heading: string) => {
  const [, rows = ''] = text.split(heading)
  return rows
    .trimStart()
    .split('\n\n', 1)
    .join()
    .split('\n')
    .slice(1)
    .map((row) => row.split('|').map((cell) => cell.trim()))
}

t.test('GRAPHQL.md has the limits of the code', async (t) => {
  const { tokens, depth, fields, changes, cost, lists } = LIMITS
  const shown = rowsOf('| | at most |').map(([, , limit]) => limit)
  const number = (limit: number) => limit.toLocaleString('en')
  t.strictSame(shown, [
    number(tokens),
    `${depth}`,
    `${fields}; ${changes} in a mutation`,
    number(cost),
    `${lists}`,
    `${MOST_OPERATIONS}`
  ])
})

t.test('GRAPHQL.md has every close code that a client of GraphQL can see', async (t) => {
  const shown = rowsOf('| close | when |').flatMap(([, codes = '']) => codes.split(', ').map(Number))
  const { BadRequest, Unauthorized, Forbidden, ConnectionInitialisationTimeout } = CloseCode
  const { SubscriberAlreadyExists, TooManyInitialisationRequests } = CloseCode
  const ofProtocol = [BadRequest, Unauthorized, Forbidden, ConnectionInitialisationTimeout]
  const ofSockets = Object.values(CLOSES).map(({ code }) => code)
  const expected = [...ofProtocol, SubscriberAlreadyExists, TooManyInitialisationRequests, ...ofSockets, 1009]
  t.strictSame(shown.sort(), [...new Set<number>(expected)].sort())
})
