import t from 'tap'
import { type TSchema, Type } from 'typebox'
import { printable } from '../../testing/src/problem.ts'
import { choice, duration, integer, list, readSetting, type Setting, text, url } from '../src/settings.ts'

const description = 'A setting.'

/** Makes what says of a text how it is read, or what is wrong with it. */
function reader(setting: object): (text: string) => unknown {
  return (text) => {
    const { fault, value } = readSetting(setting as Setting, text)
    return fault ?? value
  }
}

const DURATION = 'must be a whole number and ms, s, m, h or d, from 0s to 30d'
const SHORT = 'must be a whole number and ms, s, m, h or d, from 50ms to 1d'
const ZERO = 'must be a whole number and ms, s, m, h or d, from 1d to 30d, or 0'
const LIST = 'must be a list with commas, each member as described'
const URL = 'must be an absolute URL without user, password, query or fragment'
const PORT = 'must be a whole number from 0 to 65535'

const TABLE: [kind: string, setting: TSchema, values: Record<string, unknown>][] = [
  [
    'a duration',
    duration({ description, maximum: 2_592_000 }),
    {
      '0s': 0,
      '1ms': 0.001,
      '250ms': 0.25,
      '15m': 900,
      '2h': 7200,
      '30d': 2_592_000,
      '007s': 7,
      ...of(DURATION, [
        '15',
        's',
        '1.5s',
        '1,5s',
        '-1s',
        '+1s',
        '1e3s',
        '15 m',
        ' 15m',
        '15m ',
        '15M',
        '1w',
        '1m30s',
        '1234567890s',
        '٣s'
      ])
    }
  ],
  [
    'a duration with a least',
    duration({ description, minimum: 0.05 }),
    { '50ms': 0.05, '1s': 1, '24h': 86_400, ...of(SHORT, ['49ms', '0s', '25h', '86401s', '999999999d']) }
  ],
  [
    'a duration that can be 0, below its least',
    duration({ description, minimum: 86_400, maximum: 2_592_000, zero: true }),
    {
      '0': 0,
      '0s': 0,
      '0d': 0,
      '1d': 86_400,
      '30d': 2_592_000,
      ...of(ZERO, ['1s', '23h', '31d', '00', '-0', '1', '0w'])
    }
  ],
  [
    'a whole number',
    integer({ description, minimum: 0, maximum: 65_535 }),
    {
      '0': 0,
      '9090': 9090,
      '65535': 65_535,
      '08080': 8080,
      ...of(PORT, [
        '65536',
        '-1',
        '+1',
        '1.0',
        '1e3',
        '0x50',
        ' 80',
        '80 ',
        ' ',
        'http',
        'NaN',
        'Infinity',
        '1_000',
        '12345678901'
      ])
    }
  ],
  [
    'a URL',
    url({ description }),
    {
      'https://auth.example.com': 'https://auth.example.com',
      'http://127.0.0.1:9090': 'http://127.0.0.1:9090',
      'HTTPS://Auth.Example.com:443/a/../b/': 'HTTPS://Auth.Example.com:443/a/../b/',
      ...of(URL, [
        'https://ada:secret@a.example',
        'https://ada@a.example',
        'https:a.example',
        'https:\\a',
        'auth.example.com',
        '//auth.example.com',
        'ftp://x',
        'https://',
        'https://x?y=1',
        'https://x#y',
        'https://x/ y',
        'https://x ',
        'javascript:alert(1)'
      ])
    }
  ],
  [
    'a URL of another scheme',
    url({ description, schemes: ['redis:'] }),
    {
      'redis://x': 'redis://x',
      ...of(URL, ['https://ada:secret@a.example', 'https://ada@a.example', 'https:a.example', 'https:\\a', 'https://x'])
    }
  ],
  [
    'a list',
    list({ description }),
    { a: ['a'], 'a,b': ['a', 'b'], ' a , b c ': ['a', 'b c'], ...of(LIST, [',', 'a,', 'a,,b', ' ']) }
  ],
  [
    'a list of origins',
    list({ description, of: 'origin' }),
    {
      'https://app.example.com': ['https://app.example.com'],
      'http://localhost:3000, https://[::1]:8443': ['http://localhost:3000', 'https://[::1]:8443'],
      'capacitor://localhost,ionic://localhost': ['capacitor://localhost', 'ionic://localhost'],
      'tauri://localhost,app://obsidian.md': ['tauri://localhost', 'app://obsidian.md'],
      'chrome-extension://abcdefghijklmnopabcdefghijklmnop': ['chrome-extension://abcdefghijklmnopabcdefghijklmnop'],
      'web+app://my_app:3000': ['web+app://my_app:3000'],
      ...of(LIST, [
        '*',
        'null',
        'app.example.com',
        'https://app.example.com/',
        'https://app.example.com/x',
        'https://App.example.com',
        'https://app.example.com:443',
        'https://*.example.com',
        'ftp://x',
        'ws://x',
        'wss://x',
        'file://',
        'file://x',
        'data:text/plain,x',
        'blob:https://a.example/1',
        'capacitor://',
        'capacitor://*',
        'capacitor://localhost/',
        'capacitor://user@localhost',
        'capacitor://localhost?x',
        'capacitor://localhost:',
        'capacitor:localhost',
        '://localhost',
        '1app://localhost',
        'https://a,x'
      ])
    }
  ],
  [
    'a list of networks',
    list({ description, of: 'network' }),
    {
      '10.0.0.0/8, 192.0.2.1': ['10.0.0.0/8', '192.0.2.1'],
      '::1,fd00::/8,::ffff:10.0.0.1/128': ['::1', 'fd00::/8', '::ffff:10.0.0.1/128'],
      ...of(LIST, [
        'loopback',
        'true',
        '1',
        '10.0.0',
        '10.0.0.256',
        '10.0.0.0/0',
        '10.0.0.0/33',
        '10.0.0.0/8/8',
        '10.0.0.0/',
        '::1/129',
        'fe80::1%eth0',
        'fe80::1%eth0/64',
        'fe80::1%eth0/x',
        'abc'
      ])
    }
  ],
  ['a text', text({ description }), { x: 'x', ' x ': ' x ', '0': '0', true: 'true' }],
  ['a text of a form', text({ description, pattern: '^a+$' }), { aa: 'aa', ab: 'must match pattern "^a+$"' }],
  [
    'a choice',
    choice(['on', 'off'], { description }),
    { on: 'on', off: 'off', On: 'must be equal to one of the allowed values' }
  ]
]

function of(message: string, values: string[]): Record<string, string> {
  return Object.fromEntries(values.map((value) => [value, message]))
}

for (const [kind, setting, values] of TABLE) {
  t.test(`${kind} is read, or said to be none`, async (t) => {
    const read = reader(setting)
    for (const [value, expected] of Object.entries(values))
      t.strictSame(read(value), expected, printable(JSON.stringify(value)))
  })
}

t.test('a setting of another form is a fault of the program', async (t) => {
  for (const setting of [Type.Integer(), Type.String({ maxLength: 1 }), Type.String({ format: 'uri' })])
    t.throws(() => reader(setting)('1'), { name: 'TypeError' })
})
