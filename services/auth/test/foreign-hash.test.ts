import t from 'tap'
import { canonicalHash, costOf, refuseForeignHash } from '../src/passwords/foreign-hash.ts'

const SALT = 'abcdefghijklmnopqrstuu'
const HASH = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcde'

t.test('a hash is bcrypt with a cost that is taken here, or it is refused', (t) => {
  const good = `$2b$10$${SALT}${HASH}`
  for (const hash of [good, ...['a', 'y'].map((minor) => good.replace('2b', `2${minor}`))]) {
    t.equal(refuseForeignHash(hash), undefined, hash)
  }
  for (const cost of ['04', '15']) t.equal(refuseForeignHash(good.replace('$10$', `$${cost}$`)), undefined, cost)
  const refused: [hash: string, reason: RegExp][] = [
    ['', /bcrypt/],
    [good.slice(0, -1), /60 characters/],
    [`${good}a`, /60 characters/],
    [`${good}\n`, /60 characters/],
    [good.replace('$10$', '$1$0'), /60 characters/],
    [good.replace('$10$', '$0x$'), /60 characters/],
    [good.replace('a', '+'), /60 characters/],
    [good.replace('2b', '2'), /60 characters/],
    [good.replace('2b', '2c'), /60 characters/],
    [good.replace('2b', '2x'), /faulty/],
    [good.replace('$10$', '$03$'), /from 4 to 15/],
    [good.replace('$10$', '$16$'), /from 4 to 15/],
    [good.replace('$10$', '$99$'), /from 4 to 15/],
    ['$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b3dWRWJTmaaJObG', /bcrypt/],
    ['{SSHA}0c3JpcHQ', /bcrypt/]
  ]
  for (const [hash, reason] of refused) t.match(refuseForeignHash(hash), reason, hash)
  t.equal(costOf(good), 10)
  t.end()
})

t.test('bits that mean nothing are cleared, and nothing else changes', (t) => {
  const good = `$2y$10$${SALT}${HASH}`
  t.equal(canonicalHash(good), good)
  // u is 48 = 0b110000, so v to 9 after it differ in the last four bits alone; e is 32 = 0b100000.
  for (const digit of 'vwxyz0123456789') {
    t.equal(canonicalHash(`$2y$10$${SALT.slice(0, -1)}${digit}${HASH}`), good, `salt ${digit}`)
  }
  for (const digit of 'fgh') t.equal(canonicalHash(`$2y$10$${SALT}${HASH.slice(0, -1)}${digit}`), good, `hash ${digit}`)
  t.not(canonicalHash(`$2y$10$${SALT}${HASH.slice(0, -1)}i`), good)
  t.not(canonicalHash(`$2y$10$${SALT.slice(0, -1)}e${HASH}`), good)
  t.end()
})
