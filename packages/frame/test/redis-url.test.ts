import t from 'tap'
import { faultOfRedisUrl } from '../src/redis-url.ts'

const PLAIN = ['redis://redis', 'rediss://ada:a%23b@redis:6379/1', 'redis://:secret@[::1]:6379/']

const FAULTY: Record<string, RegExp> = {
  'http://redis': /^must begin with redis/,
  'redis://:sec#ret@redis': /has a #/,
  'redis://:secret@redis:65536': /up to 65535/,
  'redis://:secret@redis:port': /up to 65535/,
  'redis://': /has no host/,
  'redis://redis/cache': /number of a database/,
  'redis://redis/10000000000': /number of a database/,
  'redis://redis/1/2': /number of a database/,
  'redis://:secret@redis?db=1': /has a \?/
}

t.test('of URLs of a Redis those are refused that the client would read otherwise, or not at all', async (t) => {
  for (const url of PLAIN) t.equal(faultOfRedisUrl(url), undefined, url)
  for (const [url, fault] of Object.entries(FAULTY)) {
    t.match(faultOfRedisUrl(url), fault, url)
    t.notMatch(faultOfRedisUrl(url), 'secret')
  }
})
