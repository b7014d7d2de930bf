import { randomUUID } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { readCacheFile, writeCacheFile } from '../src/cache-file.ts'

const url = 'https://auth.example.com/jwks.json'
const now = 1_800_000_000_000
const cached = { url, good_at: now - 1000, keys: [{ kty: 'RSA', n: 'x', e: 'AQAB', kid: 'k' }] }

t.test('a set that was kept is read again, from a file for its owner alone, in a folder made for it', async (t) => {
  const path = join(t.testdir(), 'made', 'here', 'jwks.json')
  await writeCacheFile(path, cached)
  t.same(await readCacheFile(path, url, now), cached)
  t.equal((await stat(path)).mode & 0o777, 0o600)
})

t.test('a set kept over an older one replaces it whole and leaves nothing beside it', async (t) => {
  const dir = t.testdir({ 'jwks.json': JSON.stringify({ ...cached, keys: Array(100).fill(cached.keys[0]) }) })
  const path = join(dir, 'jwks.json')
  await chmod(path, 0o644)
  await writeCacheFile(path, cached)
  t.same(JSON.parse(await readFile(path, 'utf8')), cached)
  t.equal((await stat(path)).mode & 0o777, 0o600)
  t.same(await readdir(dir), ['jwks.json'])
})

t.test('however many write at once, a reader finds the whole set of one of them', async (t) => {
  const dir = t.testdir()
  const path = join(dir, 'jwks.json')
  const sets = Array.from({ length: 20 }, (_, i) => ({ ...cached, keys: Array(50 + i).fill({ kid: `k${i}` }) }))
  await writeCacheFile(path, cached)
  const writing = Promise.all(sets.map((set) => writeCacheFile(path, set)))
  for (let i = 0; i < 20; i += 1) t.match(await readCacheFile(path, url, now), { url, keys: Array })
  await writing
  t.same(await readdir(dir), ['jwks.json'])
})

t.test('a set that cannot be written is an error, and leaves nothing beside it', async (t) => {
  const dir = t.testdir()
  await mkdir(join(dir, 'jwks.json', 'in the way'), { recursive: true })
  await t.rejects(writeCacheFile(join(dir, 'jwks.json'), cached))
  t.same(await readdir(dir), ['jwks.json'])
})

t.test('what a killed process left beside the file an hour ago is removed, and nothing else', async (t) => {
  const name = (end: string) => `jwks.json${end}`
  const left = name(`.${randomUUID()}.tmp`)
  const others = [name(`.${randomUUID()}.tmp`), name('.mine.tmp'), `other-${left}`, name('')]
  const dir = t.testdir(Object.fromEntries([left, ...others].map((file) => [file, ''])))
  const longAgo = Date.now() / 1000 - 3700
  for (const file of [left, ...others.slice(1)]) await utimes(join(dir, file), longAgo, longAgo)
  await writeCacheFile(join(dir, 'jwks.json'), cached)
  t.same(new Set(await readdir(dir)), new Set(others))
})

const OF_NO_USE: Record<string, string> = {
  'of another URL': JSON.stringify({ ...cached, url: `${url}?` }),
  'of no URL': JSON.stringify({ ...cached, url: undefined }),
  'of a future time': JSON.stringify({ ...cached, good_at: now + 1 }),
  'of no time': JSON.stringify({ ...cached, good_at: undefined }),
  'of a time that is a text': JSON.stringify({ ...cached, good_at: String(now - 1000) }),
  'of a time without end': JSON.stringify(cached).replace(/"good_at":\d+/, '"good_at":-1e999'),
  'without keys': JSON.stringify({ ...cached, keys: undefined }),
  'with keys that are no list': JSON.stringify({ ...cached, keys: {} }),
  'that was cut off': JSON.stringify(cached).slice(0, -5),
  'that is empty': '',
  'that is null': 'null',
  'that is a list': '[]',
  'that is a text': '"x"'
}

t.test('a file that is not a set of this URL and of a time that was is as good as none', async (t) => {
  for (const [name, text] of Object.entries(OF_NO_USE)) {
    const path = join(t.testdir(), 'jwks.json')
    await writeFile(path, text)
    t.equal(await readCacheFile(path, url, now), undefined, `a file ${name}`)
  }
  t.equal(await readCacheFile(join(t.testdir(), 'none'), url, now), undefined, 'no file')
  t.equal(await readCacheFile(t.testdir(), url, now), undefined, 'a folder')
})
