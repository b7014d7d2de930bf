import { Problem } from '@latchkey/problems/problem'
import { findCookie, readCookie, tokenCookies } from '@latchkey/tokens/cookies'
import t from 'tap'

const HTTPS = 'https://auth.example.com'
const EVERYWHERE = { httpOnly: true, path: '/' }

/** The table of names and attributes: each issuer, with a cookie domain or without. */
const COOKIES = [
  {
    about: 'over https',
    of: { issuer: HTTPS },
    access: { ...EVERYWHERE, name: '__Host-token', secure: true, sameSite: 'lax' },
    refresh: { ...EVERYWHERE, name: '__Host-refresh_token', secure: true, sameSite: 'strict' }
  },
  {
    about: 'over https, for a whole domain',
    of: { issuer: HTTPS, domain: 'example.com' },
    access: { ...EVERYWHERE, name: '__Secure-token', secure: true, sameSite: 'lax', domain: 'example.com' },
    refresh: { ...EVERYWHERE, name: '__Host-refresh_token', secure: true, sameSite: 'strict' }
  },
  {
    about: 'over http',
    of: { issuer: 'http://127.0.0.1:9090' },
    access: { ...EVERYWHERE, name: 'token', secure: false, sameSite: 'lax' },
    refresh: { ...EVERYWHERE, name: 'refresh_token', secure: false, sameSite: 'strict' }
  },
  {
    about: 'over http, for a whole domain',
    of: { issuer: 'http://auth.lan.example', domain: 'lan.example' },
    access: { ...EVERYWHERE, name: 'token', secure: false, sameSite: 'lax', domain: 'lan.example' },
    refresh: { ...EVERYWHERE, name: 'refresh_token', secure: false, sameSite: 'strict' }
  },
  {
    about: 'over https in capital letters',
    of: { issuer: 'HTTPS://auth.example.com', domain: undefined },
    access: { ...EVERYWHERE, name: '__Host-token', secure: true, sameSite: 'lax' },
    refresh: { ...EVERYWHERE, name: '__Host-refresh_token', secure: true, sameSite: 'strict' }
  }
]

t.test('names and attributes follow from issuer and domain', async (t) => {
  for (const { about, of, access, refresh } of COOKIES) t.strictSame(tokenCookies(of), { access, refresh }, about)
})

/** Header lines in the order of Node's `rawHeaders`, and the value of the cookie `token`, or the refusal. */
const REQUESTS: Record<string, { headers: string[]; value?: string; code?: string }> = {
  'one cookie': { headers: ['Cookie', 'token=a.b.c'], value: 'a.b.c' },
  'among others': { headers: ['Host', 'x', 'cookie', 'a=1; token=a.b.c; b=2'], value: 'a.b.c' },
  'the header in another letter case': { headers: ['COOKIE', 'token=a'], value: 'a' },
  'in the second of two lines': { headers: ['Cookie', 'a=1', 'X', 'y', 'Cookie', 'token=a'], value: 'a' },
  'without a space after the semicolon': { headers: ['Cookie', 'a=1;token=a'], value: 'a' },
  'blanks around name and value': { headers: ['Cookie', ' \ttoken \t= a \t'], value: 'a' },
  'an equals sign in the value': { headers: ['Cookie', 'token=a=b='], value: 'a=b=' },
  'a value that looks encoded': { headers: ['Cookie', 'token=%61'], value: '%61' },
  'a value in quotes': { headers: ['Cookie', 'token="a"'], value: '"a"' },
  'a comma in the value': { headers: ['Cookie', 'token=a, token=b'], value: 'a, token=b' },
  'a very long one': { headers: ['Cookie', `token=${'a'.repeat(16_000)}`], value: 'a'.repeat(16_000) },

  'no header': { headers: [] },
  'an empty header': { headers: ['Cookie', ''] },
  'other cookies': { headers: ['Cookie', 'a=1; refresh_token=b; tokens=c; mytoken=d'] },
  'one with a prefix of the other flavour': { headers: ['Cookie', '__Host-token=a; __Secure-token=b'] },
  'the name in another letter case': { headers: ['Cookie', 'Token=a; TOKEN=b'] },
  'the name without a value': { headers: ['Cookie', 'token'] },
  'an empty value': { headers: ['Cookie', 'token='] },
  'a value of blanks': { headers: ['Cookie', 'token= \t'] },
  'a name with another blank than those of HTTP': { headers: ['Cookie', '\xa0token=a'] },
  'the name inside a value': { headers: ['Cookie', 'a=token=b'] },
  'the name encoded': { headers: ['Cookie', '%74oken=a'] },
  'no name': { headers: ['Cookie', '=token'] },
  'another header': { headers: ['X-Cookie', 'token=a', 'Set-Cookie', 'token=b'] },
  'the name of the header as a value': { headers: ['X', 'Cookie', 'token=a', 'Y'] },
  'a name of every object': { headers: ['Cookie', '__proto__=token; constructor=a'] },

  'two in one line': { headers: ['Cookie', 'token=a; token=b'], code: 'invalid_request' },
  'the same twice': { headers: ['Cookie', 'token=a; token=a'], code: 'invalid_request' },
  'two in two lines': { headers: ['Cookie', 'token=a', 'cookie', 'token=b'], code: 'invalid_request' },
  'two, far apart': {
    headers: ['Cookie', `token=a; ${'b=c; '.repeat(500)}token=d`],
    code: 'invalid_request'
  },
  'two, one of them empty': { headers: ['Cookie', 'token=; token=a'], code: 'invalid_request' },
  'two, one with blanks': { headers: ['Cookie', 'token=a;\ttoken =b'], code: 'invalid_request' },
  three: { headers: ['Cookie', 'token=a; token=b; token=c'], code: 'invalid_request' }
}

for (const [about, { headers, value, code }] of Object.entries(REQUESTS)) {
  t.test(`a request with ${about} has ${code ?? (value === undefined ? 'no cookie' : 'its value')}`, async (t) => {
    if (code) t.throws(() => findCookie(headers, 'token'), { name: 'Problem', code })
    else t.equal(findCookie(headers, 'token'), value)
    const refusal = { name: 'Problem', code: code ?? 'missing_token' }
    if (value === undefined) t.throws(() => readCookie(headers, 'token'), refusal)
    else t.equal(readCookie(headers, 'token'), value)
  })
}

t.test('a missing cookie is named, so that a client knows what to send', async (t) => {
  const refusal = t.throws(() => readCookie([], '__Host-token'))
  t.ok(refusal instanceof Problem)
  t.match(refusal, { options: { detail: 'Send the cookie __Host-token: sign in first.' } })
})
