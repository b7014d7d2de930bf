import { unavailable } from '@latchkey/problems/problem'
import t from 'tap'
import { startFrame } from './frame.ts'

t.test('an app tells when it begins to close, before it waits for anything', async (t) => {
  const { app, send } = await startFrame(t, (app) => {
    app.get('/', (request) => {
      return new Promise((_resolve, reject) => {
        request.server.closing.addEventListener('abort', () => reject(unavailable('the service stops')))
        waits()
      })
    })
  })
  let waits = () => {}
  const isWaiting = new Promise<void>((resolve) => {
    waits = resolve
  })
  const answer = send('GET /')
  await isWaiting
  t.notOk(app.closing.aborted)
  void app.close()
  t.equal((await answer).status, 503)
})
