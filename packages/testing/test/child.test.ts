import { once } from 'node:events'
import t from 'tap'
import { startChild } from '../src/child.ts'

const FIXTURE = new URL('../../frame/test/process-fixture.mjs', import.meta.url)

t.test('the end of a child is heard also when its output was not read to the end', async (t) => {
  const child = startChild(t, FIXTURE, { PORT: '0' })
  await child.find(/Server listening/)
  child.process.stdout?.destroy()
  child.process.kill('SIGKILL')
  const { code, signal } = await child.ended
  t.strictSame([code, signal], [null, 'SIGKILL'])
})

t.test('a message that comes too late for a child ends no test', async (t) => {
  const child = startChild(t, FIXTURE, { PORT: '0' })
  await child.find(/Server listening/)
  const disconnected = once(child.process, 'disconnect')
  child.process.disconnect()
  await disconnected
  child.process.send('too late')
  t.equal((await child.ended).code, 0)
})
