import { between } from '@latchkey/testing/between'
import t from 'tap'
import { FairQueue } from '../src/passwords/fair-queue.ts'

/** Takes out so many, or all. */
function take(queue: FairQueue<string>, count = Number.POSITIVE_INFINITY): string[] {
  const taken: string[] = []
  while (taken.length < count) {
    const next = queue.take()
    if (next === undefined) break
    taken.push(next)
  }
  return taken
}

/** A queue in which items wait that are written as in `a1` (in the name a) or `ab1` (in the names a and b). */
function queueOf(items: string, longest = 100): FairQueue<string> {
  const queue = new FairQueue<string>(longest)
  add(queue, items)
  return queue
}

function add(queue: FairQueue<string>, items: string): (string | undefined)[] {
  return items.split(' ').map((item) => queue.add(item, namesOf(item)))
}

const namesOf = (item: string) => [...item.replace(/\d/g, '')]

t.test('one name alone has the whole queue, in the order of arrival', async (t) => {
  t.strictSame(take(queueOf('a1 a2 a3 a4')), ['a1', 'a2', 'a3', 'a4'])
  t.equal(new FairQueue(1).take(), undefined)
})

t.test('names are begun by turns, however many wait in one of them', async (t) => {
  const order = (items: string) => take(queueOf(items)).join(' ')
  t.equal(order('a1 a2 a3 b1 b2'), 'a1 b1 a2 b2 a3')
  t.equal(order('a1 a2 a3 b1 c1 c2'), 'a1 b1 c1 a2 c2 a3')
  t.equal(order('ap1 aq1 ar1 as1 bt1 bu1'), 'ap1 bt1 aq1 bu1 ar1 as1', 'one address with many users')
  t.equal(order('ax1 bx1 cx1 dx1 ey1 fz1'), 'ax1 ey1 fz1 bx1 cx1 dx1', 'one user from many addresses')
})

t.test('a newcomer waits for nobody who was begun in the present turn', async (t) => {
  const queue = queueOf('a1 a2 a3 a4')
  t.strictSame(take(queue, 2), ['a1', 'a2'])
  add(queue, 'b1 a5 b2')
  t.strictSame(queue.before(['c']), ['b1'], 'and knows before for whom it would wait')
  t.strictSame(queue.before(['a']), ['a3', 'a4', 'b1', 'a5', 'b2'])
  t.strictSame(take(queue), ['b1', 'a3', 'b2', 'a4', 'a5'])
})

t.test('so does each of many who come one after another', async (t) => {
  const queue = new FairQueue<string>(1000)
  for (let i = 0; i < 300; i += 1) queue.add('flood', ['flood'])
  for (let i = 0; i < 100; i += 1) {
    t.equal(queue.take(), 'flood')
    queue.add('newcomer', [`name ${i}`])
    t.equal(queue.take(), 'newcomer')
  }
})

t.test('whoever was away has saved up nothing, and owes nothing', async (t) => {
  const queue = queueOf('a1 a2 a3')
  take(queue)
  add(queue, 'b1 b2 b3')
  take(queue)
  add(queue, 'b4 a4 b5 a5')
  t.strictSame(take(queue), ['a4', 'b4', 'a5', 'b5'])
})

t.test('newcomers without end do not keep out whoever has had a turn', async (t) => {
  const queue = queueOf('a1 a2 a3')
  t.strictSame(take(queue, 1), ['a1'])
  const begun: string[] = []
  for (let i = 0; i < 100; i += 1) {
    queue.add(`new ${i}`, [`name ${i}`])
    begun.push(...take(queue, 1))
  }
  const [second = -1, third = -1] = ['a2', 'a3'].map((item) => begun.indexOf(item))
  between(t, second, { least: 1, most: 19 })
  between(t, third, { least: second + 1, most: 39 })
})

t.test('beside a hundred names that all wait, each is begun once before any is begun twice', async (t) => {
  const queue = new FairQueue<string>(1000)
  for (let i = 0; i < 500; i += 1) queue.add(`n${i % 100}`, [`n${i % 100}`])
  for (let turn = 0; turn < 5; turn += 1) t.equal(new Set(take(queue, 100)).size, 100)
})

t.test('a full queue makes room for whoever has had less, at the cost of the last of the latest turn', async (t) => {
  const queue = queueOf('a1 a2 a3 b1', 4)
  t.strictSame([queue.hasPlaceFor(['a']), queue.hasPlaceFor(['b']), queue.hasPlaceFor(['c'])], [false, true, true])
  t.strictSame(add(queue, 'a4 c1 c2 d1'), ['a4', 'a3', 'c2', 'a2'])
  t.strictSame(take(queue), ['a1', 'b1', 'c1', 'd1'])
})

t.test('what is dropped is not begun, and counts for nobody who comes later', async (t) => {
  const queue = queueOf('a1 a2 a3 b1 a4')
  t.strictSame(
    queue.drop((item) => ['a2', 'a3', 'a4'].includes(item)),
    ['a2', 'a3', 'a4']
  )
  t.strictSame(
    queue.drop(() => false),
    []
  )
  add(queue, 'b2 a5')
  t.strictSame(take(queue), ['a1', 'b1', 'b2', 'a5'])
})
