import t from 'tap'
import { limitAnswerTime } from '../src/answer-time.ts'
import { startFrame } from './frame.ts'
import { isProblem } from './problem.ts'

t.test('an answer that takes too long is 503, and what comes of it later changes nothing', async (t) => {
  const ends: (() => void)[] = []
  const { send, lines } = await startFrame(t, (app) => {
    limitAnswerTime(app, 200)
    const held = () => new Promise<void>((end) => ends.push(end))
    app.post('/late', async (_request, reply) => {
      await held()
      return reply.send({ late: true })
    })
    app.post('/failing', async () => {
      await held()
      throw new Error('nobody waits for it')
    })
    app.post('/soon', async () => ({ late: false }))
  })
  const body = { headers: { 'content-type': 'application/json' }, body: '{}' }
  for (const line of ['POST /late', 'POST /failing']) isProblem(t, await send(line, body), 'unavailable', [], line)
  for (const end of ends) end()
  t.strictSame((await send('POST /soon', body)).body, { late: false })
  t.notMatch(JSON.stringify(lines), 'internal_error')
})
