import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { secondsOf, withProgress } from '../../scripts/progress.mjs'
import { fakeScreen } from './fake-screen.ts'

t.test('on a terminal one line is rewritten, and stays with its time', async (t) => {
  const { screen, seen, written } = fakeScreen()
  const work = async () => {
    t.match(seen(), /^⠋ Building 0\.0 s, 1 of 2$/)
    while (!written().includes('⠹ Building')) await sleep(5)
    return 'built'
  }
  t.equal(await withProgress('Building', work, () => '1 of 2', { on: screen }), 'built')
  t.match(seen(), /^✓ Building 0\.\d s\n$/)
})

t.test('what has failed is marked', async (t) => {
  const { screen, seen } = fakeScreen()
  const work = () => Promise.reject(new Error('full'))
  await t.rejects(withProgress('Building', work, undefined, { on: screen }), { message: 'full' })
  t.match(seen(), /^✗ Building 0\.0 s\n$/)
})

t.test('elsewhere it is one plain line, and more only when it takes long', async (t) => {
  const { screen, written } = fakeScreen({ isTTY: false })
  await withProgress('Building', () => sleep(30), undefined, { on: screen })
  t.equal(written(), 'Building …\n')
  const work = async () => {
    while (!written().includes('1 of 2')) await sleep(5)
  }
  await withProgress('Installing', work, () => '1 of 2', { on: screen, silence: 10 })
  t.match(written(), /^Building …\nInstalling …\n( {2}… 0\.\d s, 1 of 2\n)+$/)
})

t.test('seconds are told with a decimal as long as it matters', async (t) => {
  t.same([40, 3949, 9949, 9951, 71_400].map(secondsOf), ['0.0 s', '3.9 s', '9.9 s', '10 s', '71 s'])
})
