import { connectionOf, faultOfDatabaseUrl } from '@latchkey/database/url'
import { between } from '@latchkey/testing/between'
import fc from 'fast-check'
import pg from 'pg'
import t from 'tap'

const { pathname: FILE } = new URL(import.meta.url)

/** How the driver itself reads it. */
function readByDriver(url: string) {
  const client = new pg.Client(connectionOf(url))
  const { user, password, host, port, database } = client
  return { user, password, host, port, database }
}

const USUAL = { user: 'ada', password: 'secret', host: 'db.example.com', port: 5432, database: 'latchkey' }

const ACCEPTED: Record<string, Partial<typeof USUAL>> = {
  'postgres://ada:secret@db.example.com:5432/latchkey': {},
  'postgresql://ada:secret@db.example.com/latchkey': {},
  'postgres://ada:secret@db.example.com:6432/latchkey': { port: 6432 },
  'postgres://ada:%23%40%2F%25%3F%3A%20@db.example.com/latchkey': { password: '#@/%?: ' },
  'postgres://ada:a:b$c&d=e+f!*@db.example.com/latchkey': { password: 'a:b$c&d=e+f!*' },
  'postgres://ada:caf\u00e9^|[x]@db.example.com/latchkey': { password: 'caf\u00e9^|[x]' },
  'postgres://a%40b:secret@db.example.com/latchkey': { user: 'a@b' },
  'postgres://ada:secret@10.0.0.7/latchkey': { host: '10.0.0.7' },
  'postgres://ada:secret@[2001:db8::7]:5433/latchkey': { host: '2001:db8::7', port: 5433 },
  'postgres://ada:secret@DB_1-a.Example.com/Latch-key_1': { host: 'DB_1-a.Example.com', database: 'Latch-key_1' },
  'postgres://ada:secret@db.example.com/caf%C3%A9%25%20x': { database: 'caf\u00e9% x' },
  'postgres://ada:secret@%2Frun%2Fpg/latchkey': { host: '/run/pg' },
  'postgres://ada:secret@%2frun%2fpg:5433/latchkey': { host: '/run/pg', port: 5433 },
  "postgres://ada:secret@%2Frun%2Fit's%20(mine)~!*/latchkey": { host: "/run/it's (mine)~!*" },
  'postgres://ada:secret@/latchkey?host=/run/pg': { host: '/run/pg' },
  'postgres://ada:secret@/latchkey?host=%2Frun%2Fp%20g&port=5433': { host: '/run/p g', port: 5433 },
  'postgres://ada:secret@db.example.com/latchkey?options=-c%20search_path%3Dapp': {},
  'postgres://ada:secret@db.example.com/latchkey?application_name=a&sslmode=verify-full': {}
}

t.test('what is accepted is read by the driver as it is written', async (t) => {
  // What belongs to another database must not fill in what this URL leaves out.
  for (const [name, value] of Object.entries({ PGPORT: '1', PGSSLMODE: 'require', PGHOST: 'x', PGUSER: 'y' })) {
    process.env[name] = value
    t.teardown(() => delete process.env[name])
  }
  for (const [url, difference] of Object.entries(ACCEPTED)) {
    t.equal(faultOfDatabaseUrl(url), undefined, url)
    t.strictSame(readByDriver(url), { ...USUAL, ...difference }, url)
  }
  t.match(readByDriver('postgres://ada@h/x'), { user: 'ada', host: 'h', database: 'x' })
  t.equal(connectionOf('postgres://ada@h/x').ssl, false)
  t.equal(connectionOf('postgres://a@h/x?options=-c%20search_path%3Dapp').options, '-c search_path=app')
})

const TLS: Record<string, unknown> = {
  'sslmode=disable': false,
  'sslmode=require': {},
  'sslmode=verify-ca': {},
  'sslmode=verify-full': {},
  'sslmode=no-verify': { rejectUnauthorized: false },
  'sslmode=require&uselibpqcompat=true': { rejectUnauthorized: false },
  'sslmode=verify-full&uselibpqcompat=true': {},
  [`sslmode=verify-full&sslrootcert=${FILE}`]: { ca: /faultOfDatabaseUrl/ },
  [`sslmode=verify-full&sslcert=${FILE}&sslkey=${FILE}`]: { cert: /import/, key: /import/ }
}

t.test('how TLS is read', async (t) => {
  for (const [parameters, ssl] of Object.entries(TLS)) {
    const url = `postgres://ada@db.example.com/latchkey?${parameters}`
    t.equal(faultOfDatabaseUrl(url), undefined, parameters)
    const read = connectionOf(url).ssl
    if (typeof ssl === 'object') t.match(read, ssl as object, parameters)
    t.equal(typeof read, typeof ssl, parameters)
    if (parameters.includes('mode=require') || parameters.includes('mode=verify')) {
      const strict = !parameters.startsWith('sslmode=require&')
      t.equal(read && typeof read === 'object' && read.rejectUnauthorized !== false, strict, `${parameters}: verifies`)
    }
  }
})

const REFUSED: Record<string, RegExp> = {
  '': /must begin with postgres:/,
  'mysql://ada:secret@db/latchkey': /must begin with postgres:/,
  '"postgres://ada:secret@db/latchkey"': /must begin with postgres:/,
  'socket:/run/pg?db=latchkey': /must begin with postgres:/,
  '/run/pg latchkey': /must begin with postgres:/,
  'host=db user=ada dbname=latchkey': /must begin with postgres:/,
  'postgres://': /names no user/,
  'postgres://ada:sec#ret@db/latchkey': /a #.*%23/,
  'postgres://ada:secret@db/latchkey#': /a #.*%23/,
  'postgres://ada:sec ret@db/latchkey': /space.*%20/,
  'postgres://ada:sec\tret@db/latchkey': /control/,
  'postgres://ada:sec\u0000ret@db/latchkey': /control/,
  'postgres://ada:sec\u00a0ret@db/latchkey': /space/,
  'postgres://ada:secret@db/latchkey\n': /space/,
  'postgres://ada:100%@db/latchkey': /a %.*%25/,
  'postgres://ada:1%zz@db/latchkey': /a %.*%25/,
  'postgres://ada:1%2@db/latchkey': /a %.*%25/,
  'postgres://ada@db/latchkey%': /a %.*%25/,
  'postgres://ada:%ff@db/latchkey': /UTF-8/,
  'postgres://ada:a%00b@db/latchkey': /UTF-8/,
  'postgres://ada:sec/ret@db/latchkey': /%2F/,
  'postgres://ada:12/34@db/latchkey': /%2F/,
  'postgres://ada:sec?ret@db/latchkey': /%3F/,
  'postgres://ada:sec@ret@db/latchkey': /%40/,
  'postgres://ada@db/latch@key': /an @/,
  'postgres://db/latchkey': /names no user/,
  'postgres://:secret@db/latchkey': /names no user/,
  'postgres:///latchkey?host=/run/pg': /names no user/,
  'postgres://ada@/latchkey': /names no host/,
  'postgres://ada@/latchkey?host=db': /names no host/,
  'postgres://ada@one,two/latchkey': /several hosts/,
  'postgres://ada@one:5432,two:5432/latchkey': /several hosts/,
  'postgres://ada@db/latchkey?host=/run/pg': /host twice/,
  'postgres://ada@db/latchkey?port=6432': /host twice/,
  'postgres://ada@%2Frun%2Fpg/latchkey?host=/run/pg': /host twice/,
  'postgres://ada@::1/latchkey': /port/,
  'postgres://ada@[::1/latchkey': /port/,
  'postgres://ada@[db]/latchkey': /brackets/,
  'postgres://ada@%2Frun|pg/latchkey': /no name and no address/,
  'postgres://ada@d%62/latchkey': /no name and no address/,
  'postgres://ada@db!/latchkey': /no name and no address/,
  'postgres://ada@caf\u00e9.example/latchkey': /no name and no address/,
  'postgres://ada@db:0/latchkey': /port/,
  'postgres://ada@db:65536/latchkey': /port/,
  'postgres://ada@db:/latchkey': /port/,
  'postgres://ada@db:pg/latchkey': /port/,
  'postgres://ada@:5433/latchkey?host=/run/pg': /port/,
  'postgres://ada@/latchkey?host=/run/pg&port=x': /port/,
  [`postgres://ada@/latchkey?host=/${'x'.repeat(100)}`]: /longer than 10[37] bytes/,
  'postgres://ada@db': /names no database/,
  'postgres://ada@db/': /names no database/,
  'postgres://ada@db?sslmode=disable': /names no database/,
  'postgres://ada@db/a/b': /name of a database/,
  'postgres://ada@db/a%2Fb': /name of a database/,
  'postgres://ada@db/a%26b': /name of a database/,
  'postgres://ada@db/..': /name of a database/,
  'postgres://ada@db/%2e': /name of a database/,
  'postgres://ada@db/x??sslmode=disable': /of the form/,
  'postgres://ada@[db]x/latchkey': /address/,
  'postgres://ada@db/x?max=1': /does not heed; known are/,
  'postgres://ada@db/x?user=eve': /does not heed/,
  'postgres://ada@db/x?statement_timeout=0': /does not heed/,
  'postgres://ada@db/x?target_session_attrs=read-write': /does not heed/,
  'postgres://ada@db/x?channel_binding=require': /does not heed/,
  'postgres://ada@db/x?ssl=true': /does not heed/,
  'postgres://ada@db/x?options=-c+search_path=app': /a \+/,
  'postgres://ada@db/x?sslmode=disable&sslmode=require': /twice/,
  'postgres://ada@db/x?sslmode=': /without a value/,
  'postgres://ada@db/x?sslmode=prefer': /sslmode/,
  'postgres://ada@db/x?sslmode=allow': /sslmode/,
  'postgres://ada@db/x?sslmode=VERIFY-FULL': /sslmode/,
  'postgres://ada@db/x?sslmode=no-verify&uselibpqcompat=true': /sslmode/,
  'postgres://ada@db/x?sslmode=verify-ca&uselibpqcompat=true': /sslrootcert/,
  'postgres://ada@db/x?uselibpqcompat=true': /sslmode=verify-full/,
  'postgres://ada@db/x?sslmode=require&uselibpqcompat=yes': /uselibpqcompat/,
  [`postgres://ada@db/x?sslrootcert=${FILE}`]: /sslmode=verify-full/,
  [`postgres://ada@db/x?sslmode=disable&sslrootcert=${FILE}`]: /sslmode=verify-full/,
  [`postgres://ada@db/x?sslmode=verify-full&sslcert=${FILE}`]: /together/,
  'postgres://ada@db/x?sslmode=verify-full&sslrootcert=/nowhere/ca.pem': /sslrootcert.*cannot be read/,
  'postgres://ada@db/x?sslmode=verify-full&sslnegotiation=later': /sslnegotiation/
}

t.test('everything else is refused, with what to do, and is not repeated', async (t) => {
  for (const [url, fault] of Object.entries(REFUSED)) {
    const said = faultOfDatabaseUrl(url) ?? ''
    t.match(said, fault, url)
    t.notMatch(said, /sec|ada|latchkey|nowhere/, url)
  }
})

// Pieces that were trouble somewhere, put together at random; plain ones are more often, so that many are accepted.
const PLAIN = ['a', '1', 'b', '%41', '%2F', '%25', '.', '-', '_', '\u00e9', '~', '%20', '%3A', '%C3%A9']
const TROUBLE = [
  ...[
    ':',
    '@',
    '/',
    '?',
    '#',
    '%',
    '%2f',
    '%2B',
    '+',
    '&',
    '=',
    ',',
    '..',
    '[',
    ']',
    '\\',
    ';',
    "'",
    '$',
    '!',
    '*',
    '('
  ],
  ...['"', '<', '`', '{', '|', '^', '\u{1f600}', ' ', '%ff', '%00', '::1', 'postgres://', '@/', '%5B', '%252F']
]
const pieces = (plain: readonly string[], maxLength: number) =>
  fc
    .array(fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...plain) }, fc.constantFrom(...TROUBLE)), { maxLength })
    .map((parts) => parts.join(''))
const text = pieces(PLAIN, 4)
const host = fc.oneof(pieces(['a', '1', '.', '-', '%2Frun', '[::1]', ':1'], 2), fc.constantFrom('', 'db', '%2Frun'))
const query = fc.oneof(
  fc.constantFrom('', 'host=/run', 'host=%2Frun%2Fa', 'host=/run&port=1', 'sslmode=disable', 'options=%2B-%26'),
  pieces(['host=/run', 'port=1', '&', 'application_name=', 'a'], 4)
)

t.test('whatever is accepted, the driver reads every part of it as it is written', async (t) => {
  let accepted = 0
  const property = fc.property(text, text, host, text, query, (user, password, host, database, query) => {
    const url = `postgres://${user}:${password}@${host}/${database}${query && `?${query}`}`
    if (faultOfDatabaseUrl(url) !== undefined) return
    accepted += 1
    const parts = url.slice('postgres://'.length)
    const [authority = '', rest = ''] = [parts.slice(0, parts.indexOf('/')), parts.slice(parts.indexOf('/') + 1)]
    const [login = '', place = ''] = authority.split('@')
    const [name = '', parameters = ''] = rest.split('?')
    const [, before = '', port] = /^(\[.*\]|[^:]*)(?::(.*))?$/.exec(place) ?? []
    const given = new URLSearchParams(parameters)
    const read = readByDriver(url)
    const written = {
      user: decodeURIComponent(login.slice(0, login.indexOf(':'))),
      password: decodeURIComponent(login.slice(login.indexOf(':') + 1)) || read.password,
      host: given.get('host') ?? decodeURIComponent(before).replace(/^\[(.*)\]$/, '$1'),
      port: Number(port ?? given.get('port') ?? 5432),
      database: decodeURIComponent(name)
    }
    if (JSON.stringify(read) !== JSON.stringify(written)) throw new Error(`${url} was read as ${JSON.stringify(read)}`)
  })
  fc.assert(property, { numRuns: 10_000 })
  between(t, accepted, { least: 101 }, 'were accepted')
})
