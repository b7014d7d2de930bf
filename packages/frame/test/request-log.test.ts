import { Problem, unavailable } from '@latchkey/problems/problem'
import t from 'tap'
import { startFrame } from './frame.ts'

t.test('a route that is asked all the time logs what it refuses and its own faults, nothing else', async (t) => {
  const { send, lines } = await startFrame(t, (app) => {
    const config = { logs: 'refusals' as const }
    app.get('/good', { config }, async () => ({}))
    app.get('/away', { config }, async () => {
      throw unavailable('the database is away')
    })
    app.get('/wrong', { config }, async () => {
      throw new Problem('invalid_token')
    })
    app.get('/fault', { config }, async () => {
      throw new Error('a fault of the program')
    })
    app.get('/usual', async () => {
      throw unavailable('the database is away')
    })
  })
  const logged: Record<string, unknown[]> = {}
  for (const path of ['/good', '/away', '/wrong', '/fault', '/usual', '/good?x=1']) {
    lines.length = 0
    await send(`GET ${path}`)
    logged[path] = lines.map(({ level, event, msg }) => [level, event ?? msg])
  }
  t.strictSame(logged, {
    '/good': [],
    '/away': [],
    '/wrong': [
      ['info', 'refused'],
      ['info', 'answered']
    ],
    '/fault': [
      ['error', 'failed'],
      ['info', 'answered']
    ],
    '/usual': [
      ['error', 'failed'],
      ['info', 'answered']
    ],
    '/good?x=1': [
      ['info', 'refused'],
      ['info', 'answered']
    ]
  })
})
