import t from 'tap'
import { Type } from 'typebox'
import { startFrame } from './frame.ts'

const answer = (schema: object) => ({ schema: { response: { 200: schema } } })

t.test('an answer has what its schema names and no more, each time', async (t) => {
  const { send } = await startFrame(t, (app) => {
    app.get('/', answer(Type.Object({ name: Type.String() })), () => ({ name: 'a', secret: 'b' }))
  })
  t.strictSame((await send('GET /')).body, { name: 'a' })
  t.strictSame((await send('GET /')).body, { name: 'a' })
})

t.test('a schema is compiled when its answer is first sent', async (t) => {
  const { app, send } = await startFrame(t, (app) => {
    app.get('/wrong', answer({ type: 'nothing that is known' }), () => ({}))
    app.get('/right', answer(Type.Object({})), () => ({}))
  })
  await t.resolves(async () => void (await app.ready()))
  t.equal((await send('GET /right')).status, 200)
  t.equal((await send('GET /wrong')).status, 500)
})
