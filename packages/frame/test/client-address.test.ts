import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import t from 'tap'
import { clientAddresses } from '../src/client-address.ts'
import { type Line, startFrame } from './frame.ts'

const PROXIES = ['10.0.0.0/8', '2001:db8:ffff::/48', '192.0.2.1', '::ffff:192.0.2.2', '::ffff:172.16.0.0/108']

/** The address that is found for a request over a connection from `peer`. */
function addressFrom(peer: string | undefined, forwarded?: string | string[], proxies = PROXIES): string {
  const socket = Object.defineProperty(new Socket(), 'remoteAddress', { value: peer })
  const headers = { ...(forwarded !== undefined && { 'x-forwarded-for': forwarded }) }
  return clientAddresses(proxies)({ headers, socket } as Pick<IncomingMessage, 'headers' | 'socket'>)
}

t.test('an entry of a proxy is read in every form that proxies write', async (t) => {
  const forms = {
    '203.0.113.7': '203.0.113.7',
    '203.0.113.7:40001': '203.0.113.7',
    '"203.0.113.7:40001"': '203.0.113.7',
    '  203.0.113.7\t': '203.0.113.7',
    '2001:db8::1': '2001:db8::1',
    '2001:DB8:0:0::0001': '2001:db8::1',
    '[2001:db8::1]': '2001:db8::1',
    '[2001:db8::1]:443': '2001:db8::1',
    '"[2001:db8::1]:443"': '2001:db8::1',
    '::ffff:203.0.113.7': '203.0.113.7',
    '::FFFF:cb00:7107': '203.0.113.7',
    '[::ffff:203.0.113.7]:80': '203.0.113.7',
    '0:0:0:0:0:ffff:203.0.113.7': '203.0.113.7',
    'fe80::1%eth0': 'fe80::1',
    '[fe80::1%25]:1': 'fe80::1'
  }
  for (const [entry, address] of Object.entries(forms)) t.equal(addressFrom('10.1.2.3', entry), address, entry)
})

t.test('what is no address counts as the proxy that handed it on', async (t) => {
  const none = [
    '',
    ' ',
    ',',
    'unknown',
    '_hidden',
    '-',
    '203.0.113.7:',
    '203.0.113.7:123456',
    '203.0.113.7:http',
    '203.0.113',
    '203.0.113.256',
    '0203.0.113.7',
    '203.0.113.7/32',
    '203.0.113.7%eth0',
    '203.0.113.7 evil',
    '[203.0.113.7',
    '[2001:db8::1]443',
    '[2001:db8::1',
    '2001:db8::1]',
    '"203.0.113.7',
    'localhost',
    'http://203.0.113.7',
    'for=203.0.113.7',
    '\x9b31m',
    '9'.repeat(16_000),
    '['.repeat(16_000),
    `fe80::1%${'e'.repeat(100)}`
  ]
  for (const entry of none) {
    t.equal(addressFrom('10.1.2.3', entry), '10.1.2.3', entry.slice(0, 40))
    t.equal(addressFrom('10.1.2.3', `198.51.100.1, ${entry}`), '10.1.2.3', `behind an address: ${entry.slice(0, 40)}`)
    t.equal(addressFrom('10.1.2.3', `${entry}, 10.4.5.6`), '10.4.5.6', `before a proxy: ${entry.slice(0, 40)}`)
    t.equal(addressFrom('10.1.2.3', `${entry}, 203.0.113.7`), '203.0.113.7', `before a client: ${entry.slice(0, 40)}`)
  }
})

t.test('the header is read from its end, as far as proxies go', async (t) => {
  const cases: [peer: string, forwarded: string | string[], address: string][] = [
    ['203.0.113.9', '203.0.113.7', '203.0.113.9'],
    ['10.1.2.3', '198.51.100.1, 203.0.113.7', '203.0.113.7'],
    ['10.1.2.3', '203.0.113.7:1, 10.2.2.2:2, 192.0.2.1', '203.0.113.7'],
    ['::ffff:10.1.2.3', '203.0.113.7', '203.0.113.7'],
    ['10.1.2.3', '203.0.113.7, ::ffff:10.4.4.4', '203.0.113.7'],
    ['10.1.2.3', '203.0.113.7, ::ffff:a04:404', '203.0.113.7'],
    ['192.0.2.2', '203.0.113.7', '203.0.113.7'],
    ['172.17.0.1', '203.0.113.7', '203.0.113.7'],
    ['172.32.0.1', '203.0.113.7', '172.32.0.1'],
    ['2001:db8:ffff::5', '2001:db8:1::5', '2001:db8:1::5'],
    ['2001:db8:fffe::5', '2001:db8:1::5', '2001:db8:fffe::5'],
    ['10.1.2.3', '10.4.4.4, 10.5.5.5', '10.4.4.4'],
    ['10.1.2.3', ['203.0.113.7', '10.5.5.5'], '203.0.113.7'],
    ['10.1.2.3', `203.0.113.7, ${'10.5.5.5, '.repeat(500)}10.6.6.6`, '10.5.5.5'],
    ['10.1.2.3', `${'198.51.100.1, '.repeat(500)}203.0.113.7`, '203.0.113.7']
  ]
  for (const [peer, forwarded, address] of cases) {
    t.equal(addressFrom(peer, forwarded), address, `${peer}: ${String(forwarded).slice(-60)}`)
  }
})

t.test('the other end of a connection has one form as well, and may be unknown', async (t) => {
  for (const proxies of [[], PROXIES]) {
    t.equal(addressFrom('::ffff:203.0.113.7', undefined, proxies), '203.0.113.7')
    t.equal(addressFrom('fe80::1%eth0', undefined, proxies), 'fe80::1')
    t.equal(addressFrom('2001:db8::1', '198.51.100.1', proxies), '2001:db8::1')
    t.equal(addressFrom(undefined, '198.51.100.1', proxies), 'unknown')
  }
})

t.test('a range of IPv6 is no range of IPv4, unless it is written as IPv4 in IPv6', async (t) => {
  const forwarded = '198.51.100.1'
  for (const range of ['::/1', '::/64', '::ffff:0:0/90'])
    t.equal(addressFrom('203.0.113.7', forwarded, [range]), '203.0.113.7')
  t.equal(addressFrom('203.0.113.7', forwarded, ['::ffff:0:0/96']), '198.51.100.1')
  t.equal(addressFrom('2001:db8::1', forwarded, ['::ffff:0:0/96', '0.0.0.0/1']), '2001:db8::1')
})

t.test('handlers and the log get the same address', async (t) => {
  const { app, lines } = await startFrame(t, (app) => void app.get('/', ({ ip }) => ({ ip })), { TRUST_PROXY: PROXIES })
  const ask = (url: string) =>
    app.inject({ url, remoteAddress: '10.1.2.3', headers: { 'x-forwarded-for': '[::ffff:203.0.113.7]:1' } })
  t.strictSame((await ask('/')).json(), { ip: '203.0.113.7' })
  await ask('/nothing')
  const logged = lines.filter(({ msg }: Line) => msg === 'answered').map(({ req }) => (req as { ip: string }).ip)
  t.strictSame(logged, ['203.0.113.7', '203.0.113.7'])
})
