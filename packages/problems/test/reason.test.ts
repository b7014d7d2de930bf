import t from 'tap'
import { reasonOf } from '../src/reason.ts'

const refused = (address: string) => new Error(`connect ECONNREFUSED ${address}`)
const bare = (name: string, more: object = {}) => Object.assign(new Error(''), { name }, more)

const SAYS: [error: unknown, says: string][] = [
  [new Error('the disk is full'), 'the disk is full'],
  [
    new AggregateError([refused('::1:5432'), refused('127.0.0.1:5432')]),
    'connect ECONNREFUSED ::1:5432; connect ECONNREFUSED 127.0.0.1:5432'
  ],
  [new AggregateError([refused('a')], 'nobody is there'), 'nobody is there'],
  [
    new AggregateError('abcde'.split('').map(refused)),
    `${['a', 'b', 'c'].map((a) => refused(a).message).join('; ')}; 2 more`
  ],
  [new AggregateError([new AggregateError([refused('inside')])]), 'connect ECONNREFUSED inside'],
  [new AggregateError([]), 'AggregateError'],
  [bare('Error', { code: 'ECONNRESET' }), 'ECONNRESET'],
  [bare('TimeoutError'), 'TimeoutError'],
  [bare(''), 'unknown'],
  ['a text that was thrown', 'a text that was thrown'],
  ['', 'unknown'],
  [undefined, 'undefined']
]

t.test('whatever was thrown says something', async (t) => {
  for (const [error, says] of SAYS) t.equal(reasonOf(error), says, says)
})
