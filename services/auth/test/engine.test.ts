import bcrypt from 'bcryptjs'
import t from 'tap'
import { type Bcrypt, isHash, openBcrypt, openNative, openScript } from '../src/passwords/engine.ts'

const ENGINES = [openNative(), openScript()]

/** The last byte that counts is the 72nd. */
const PASSWORDS = {
  'an empty one': '',
  'a plain one': 'correct horse battery',
  '71 bytes': 'p'.repeat(71),
  '72 bytes': `${'p'.repeat(71)}q`,
  '73 bytes': `${'p'.repeat(72)}q`,
  '300 bytes, more than one byte can count': 'p'.repeat(300),
  '36 letters of two bytes': 'ü'.repeat(36),
  'a letter over the edge': `${'p'.repeat(71)}ü`,
  '18 emoji': '😀'.repeat(18),
  '19 emoji': '😀'.repeat(19),
  'letters that crypt_blowfish once mixed up': '\u00ff\u00a3345',
  'what looks like a hash': `$2b$04$${'.'.repeat(53)}`
}

for (const made of ENGINES) {
  for (const [name, password] of Object.entries(PASSWORDS)) {
    t.test(`a hash of ${made.engine} is known by both, of every kind: ${name}`, async (t) => {
      const hash = made.hash(password, 4)
      t.match(hash, /^\$2b\$04\$[./A-Za-z0-9]{53}$/)
      for (const { engine, compare } of ENGINES) {
        for (const kind of ['$2a$', '$2b$', '$2y$']) {
          t.equal(compare(password, kind + hash.slice(4)), true, `${kind} ${engine}`)
          t.equal(compare(`x${password.slice(1)}`, kind + hash.slice(4)), false, `${kind} ${engine}, another password`)
          t.equal(compare(password.toUpperCase(), hash), password === password.toUpperCase(), engine)
        }
      }
    })
  }
}

t.test('both make the same hash of the same salt, so neither knows a password that the other does not', async (t) => {
  const [native, script] = ENGINES.map((engine) => (password: string, hash: string) => engine.compare(password, hash))
  let seed = 1
  const random = (below: number) => {
    seed = (seed * 16_807) % 2_147_483_647
    return seed % below
  }
  for (let i = 0; i < 100; i += 1) {
    const points = Array.from({ length: random(90) }, () => [
      0x20 + random(0x5f),
      0xa1 + random(0x500),
      0x1f600 + random(64)
    ])
    const password = String.fromCodePoint(...points.map((three) => three[random(3)] ?? 0))
    const hash = bcrypt.hashSync(password, 4)
    const changed = password.slice(0, -1)
    t.strictSame([native?.(password, hash), script?.(password, hash)], [true, true], JSON.stringify(password))
    t.equal(native?.(changed, hash), script?.(changed, hash), JSON.stringify(changed))
  }
})

t.test('a text that is no hash is known as such, and neither engine crashes on one', async (t) => {
  const good = openScript().hash('right', 4)
  t.equal(isHash(good), true)
  const at = (place: number, text: string) => good.slice(0, place) + text + good.slice(place + text.length)
  const broken = {
    nothing: '',
    'one character more': `${good}.`,
    'one less': good.slice(0, -1),
    'a line more': `${good}\n`,
    'the faulty kind': at(2, 'x'),
    'an unknown kind': at(2, 'c'),
    'the first kind': `$2$04$${good.slice(6)}`,
    'another scheme': at(1, '1'),
    'cost 3': at(4, '03'),
    'cost 0': at(4, '00'),
    'cost 32': at(4, '32'),
    'cost 99': at(4, '99'),
    'a cost of one digit': at(4, '4$'),
    'a cost that is no number': at(4, '0x'),
    'a cost below none': at(4, '-1'),
    'a NUL in the salt': at(20, '\0'),
    'a letter of two bytes': at(40, 'é'),
    'half a pair': at(40, '\ud800'),
    'no base64': at(40, '!')
  }
  for (const [name, text] of Object.entries(broken)) {
    t.equal(isHash(text), false, name)
    for (const { compare, engine } of ENGINES) t.not(outcome(compare, text), true, `${name}, ${engine}`)
  }
  for (const [place, digit] of [
    [28, 'v'],
    [59, 'v']
  ] as const) {
    for (const { compare } of ENGINES) t.equal(compare('right', at(place, digit)), false, 'bits without a meaning')
  }

  function outcome(compare: Bcrypt['compare'], hash: string): unknown {
    try {
      return compare('right', hash)
    } catch (error) {
      return error
    }
  }
})

t.test('the script takes over where native bcrypt is missing, does not load, or errs', async (t) => {
  const missing = Object.assign(new Error("Cannot find module 'bcrypt'"), { code: 'MODULE_NOT_FOUND' })
  const throwing = () => {
    throw missing
  }
  const yes = { hashSync: bcrypt.hashSync, compareSync: () => true }
  const no = { hashSync: bcrypt.hashSync, compareSync: () => false }
  for (const [find, reason] of [
    [throwing, missing],
    [() => yes, { message: 'it compares wrongly' }],
    [() => no, { message: 'it compares wrongly' }]
  ] as const) {
    const reasons: unknown[] = []
    const opened = openBcrypt(
      (error) => reasons.push(error),
      () => openNative(find)
    )
    t.equal(opened.engine, 'bcryptjs')
    t.match(reasons, [reason])
    t.equal(opened.compare('right', opened.hash('right', 4)), true)
  }
  t.equal(openBcrypt(() => t.fail('it runs here')).engine, 'native')
})
