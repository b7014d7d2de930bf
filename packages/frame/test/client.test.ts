import { clientKey, clientOf } from '@latchkey/frame/client'
import t from 'tap'

t.test('an IPv4 client is counted by its address, an IPv6 client by its /64', async (t) => {
  const keys = {
    '192.0.2.7': '192.0.2.7',
    unknown: 'unknown',
    '2001:db8:1:2:3:4:5:6': '2001:db8:1:2::/64',
    '2001:db8:1:2::': '2001:db8:1:2::/64',
    '2001:0DB8:0001:0002:0:0:0:9': '2001:db8:1:2::/64',
    '2001:db8::1': '2001:db8:0:0::/64',
    '2001:db8::1:2:3:4': '2001:db8:0:0::/64',
    '2001::1:2:3:4:5:6': '2001:0:1:2::/64',
    '::1': '0:0:0:0::/64',
    '::': '0:0:0:0::/64'
  }
  for (const [ip, key] of Object.entries(keys)) t.equal(clientKey({ ip }), key, ip)
})

t.test('of a User-Agent as much is kept as is harmless', async (t) => {
  t.strictSame(clientOf({ ip: '::1', headers: {} }), { ip: '::1', userAgent: null })
  const { userAgent } = clientOf({ ip: '::1', headers: { 'user-agent': `a\u001b[31m${'x'.repeat(500)}` } })
  t.equal(userAgent?.length, 256)
  t.notMatch(userAgent, '\u001b')
})
