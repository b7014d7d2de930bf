import t from 'tap'
import { fakeScreen } from './fake-screen.ts'

t.test('on a terminal the last line is rewritten, and what is printed goes above it', async (t) => {
  const { screen, seen, written } = fakeScreen()
  screen.show('working 1 s')
  screen.show('working 2 s')
  t.equal(seen(), 'working 2 s')
  screen.print('a line')
  t.equal(seen(), 'a line\nworking 2 s')
  screen.show('')
  screen.print('the end')
  t.equal(seen(), 'a line\nthe end\n')
  t.notMatch(written(), '\x1b[3', 'without colours, if the terminal has none')
})

t.test('the line that is rewritten fits into one line', async (t) => {
  const { screen, seen } = fakeScreen({ columns: 30 })
  screen.show('Installing the dependencies 12 s, 59 of 185 packages')
  t.equal(seen(), 'Installing the dependencies …')
})

t.test('where there is no terminal, and on a dumb one, no escape code is written', async (t) => {
  for (const how of [{ isTTY: false }, { env: { TERM: 'dumb' } }]) {
    const { screen, written } = fakeScreen({ ...how, colors: true })
    screen.show('working 1 s')
    screen.print(screen.paint('red', 'a line'))
    t.equal(written(), 'a line\n', JSON.stringify(how))
  }
})

t.test('colours are where Node finds some', async (t) => {
  const { screen } = fakeScreen({ colors: true })
  t.equal(screen.paint('red', 'a'), '\x1b[31ma\x1b[0m')
  t.equal(screen.paint('red', ''), '')
  t.equal(fakeScreen({ colors: false }).screen.paint('red', 'a'), 'a', 'not with NO_COLOR')
})
