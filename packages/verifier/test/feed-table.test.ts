import { randomBytes } from 'node:crypto'
import t from 'tap'
import { HashTable, type Words } from '../src/feed/hash-table.ts'

function words(bytes = randomBytes(16)): Words {
  return [bytes.readInt32LE(0), bytes.readInt32LE(4), bytes.readInt32LE(8), bytes.readInt32LE(12)]
}

t.test('it says what a map says, however entries are set, raised and swept', async (t) => {
  const table = new HashTable()
  const model = new Map<string, { hash: Words; least: number; most: number; end: number }>()
  const pool = Array.from({ length: 4000 }, () => words())
  let now = 1
  for (let step = 0; step < 60_000; step += 1) {
    const hash = pool[Math.floor(Math.random() * pool.length)] ?? words()
    const [number, end] = [Math.floor(Math.random() * 9), now + Math.floor(Math.random() * 50)]
    const known = model.get(String(hash))
    // What has ended may have been swept.
    const isSure = known && known.end >= now
    const most = Math.max(number, known?.most ?? 0)
    const least = isSure ? Math.max(number, known.least) : number
    model.set(String(hash), { hash, least, most, end: Math.max(end, isSure ? known.end : 0) })
    table.set(hash, number, end)
    if (step % 500 === 0) {
      now += 3
      table.sweep(now)
    }
  }
  const wrong = [...model.values()].filter(({ hash, least, most, end }) => {
    const found = table.get(...hash)
    const isGone = found === -1 && end < now
    return !isGone && (found < least || found > most)
  })
  t.strictSame(wrong, [])
  t.equal(table.get(...words()), -1)
  table.sweep(now + 1000)
  t.equal(table.size, 0)
  t.equal(table.bytes, 0)
})

t.test('it lists each entry once, also while others are set', async (t) => {
  const table = new HashTable()
  const set = new Set<string>()
  for (let count = 0; count < 5000; count += 1) {
    const hash = words()
    set.add(String(hash))
    table.set(hash, count, 9)
  }
  const listed: string[] = []
  for (const each of table.segments()) {
    each((hash) => listed.push(String(hash)))
    for (let count = 0; count < 40; count += 1) table.set(words(), 1, 9)
  }
  t.equal(new Set(listed).size, listed.length)
  t.equal(listed.filter((hash) => set.has(hash)).length, set.size)
})

t.test('a million entries take at most 64 MB, at each size on the way', async (t) => {
  const table = new HashTable()
  const chosen = randomBytes(16)
  let most = 0
  for (let count = 1; count <= 1_000_000; count += 1) {
    chosen.writeUInt32LE(count, 8)
    table.set(words(chosen), 1, 9)
    if (count % 10_000 === 0 && count >= 100_000) most = Math.max(most, table.bytes / count)
  }
  t.equal(table.size, 1_000_000)
  t.ok(most <= 64, `${most} bytes an entry`)
})

t.test('hashes that somebody chose take no longer than others', async (t) => {
  const PATTERNS: Record<string, (bytes: Buffer, count: number) => void> = {
    'one after the other': (bytes, count) => bytes.writeUInt32LE(count, 0),
    'equal but for the last word': (bytes, count) => bytes.writeUInt32LE(count, 12),
    'with the same high bits': (bytes, count) => bytes.writeUInt32BE(count * 4096, 4),
    'with the same low bits': (bytes, count) => bytes.writeUInt32LE(count * 4096, 8)
  }
  for (const [name, write] of Object.entries(PATTERNS)) {
    const table = new HashTable()
    const bytes = Buffer.alloc(16)
    const began = performance.now()
    for (let count = 0; count < 200_000; count += 1) {
      write(bytes, count)
      table.set(words(bytes), 1, 9)
    }
    for (let count = 0; count < 200_000; count += 1) {
      write(bytes, count)
      table.get(...words(bytes))
    }
    // Quadratic work would take minutes.
    t.ok(performance.now() - began < 10_000, name)
  }
})
