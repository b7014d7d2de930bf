import { Problem } from '@latchkey/problems/problem'
import { readBearer } from '@latchkey/tokens/bearer'
import t from 'tap'
import { between } from '../../testing/src/between.ts'

/** Header lines in the order of Node's `rawHeaders`, and the token or the code of the refusal. */
const REQUESTS: Record<string, { headers: string[]; token?: string; code?: string }> = {
  'one word after Bearer': { headers: ['Authorization', 'Bearer a.b.c'], token: 'a.b.c' },
  'another letter case of the scheme': { headers: ['Authorization', 'bEARER a.b.c'], token: 'a.b.c' },
  'another letter case of the header': { headers: ['AUTHORIZATION', 'Bearer a.b.c'], token: 'a.b.c' },
  'a header in lower case, among others': { headers: ['host', 'x', 'authorization', 'Bearer a'], token: 'a' },
  'two spaces after the scheme': { headers: ['Authorization', 'Bearer  a.b.c'], token: 'a.b.c' },
  'a tab after the scheme': { headers: ['Authorization', 'Bearer\ta.b.c'], token: 'a.b.c' },
  'blanks around it all': { headers: ['Authorization', ' \t Bearer a.b.c \t '], token: 'a.b.c' },
  'a word that is no token at all': { headers: ['Authorization', 'Bearer {"a":1}'], token: '{"a":1}' },
  'a word with an octet that is no blank of HTTP': { headers: ['Authorization', 'Bearer a\xa0'], token: 'a\xa0' },
  'nothing but such an octet': { headers: ['Authorization', 'Bearer \xa0'], token: '\xa0' },
  'a word with a line break': { headers: ['Authorization', 'Bearer a\n'], token: 'a\n' },
  'two words with a comma': { headers: ['Authorization', 'Bearer a,b'], token: 'a,b' },

  'no header at all': { headers: [], code: 'missing_token' },
  'other headers': {
    headers: ['Host', 'x', 'Cookie', 'token=a', 'X-Authorization', 'Bearer a'],
    code: 'missing_token'
  },
  'the name of the header as a value': { headers: ['X', 'Authorization', 'Bearer a', 'Y'], code: 'missing_token' },
  'an empty header': { headers: ['Authorization', ''], code: 'missing_token' },
  'a header of blanks': { headers: ['Authorization', ' \t '], code: 'missing_token' },
  'another scheme': { headers: ['Authorization', 'Basic YTpi'], code: 'missing_token' },
  'a scheme of no name': { headers: ['Authorization', 'a.b.c'], code: 'missing_token' },
  'a scheme that begins like ours': { headers: ['Authorization', 'Bearers a'], code: 'missing_token' },
  'a scheme that ends like ours': { headers: ['Authorization', 'XBearer a'], code: 'missing_token' },
  'a colon after the scheme': { headers: ['Authorization', 'Bearer: a'], code: 'missing_token' },
  'the scheme and the word in one': { headers: ['Authorization', 'Bearera.b.c'], code: 'missing_token' },
  'another blank than those of HTTP after the scheme': {
    headers: ['Authorization', 'Bearer\xa0a'],
    code: 'missing_token'
  },

  'nothing after the scheme': { headers: ['Authorization', 'Bearer'], code: 'invalid_request' },
  'blanks after the scheme': { headers: ['Authorization', 'Bearer  \t'], code: 'invalid_request' },
  'two words': { headers: ['Authorization', 'Bearer a b'], code: 'invalid_request' },
  'three words': { headers: ['Authorization', 'Bearer a b c'], code: 'invalid_request' },
  'the scheme twice': { headers: ['Authorization', 'Bearer Bearer a'], code: 'invalid_request' },
  'two headers': { headers: ['Authorization', 'Bearer a', 'Authorization', 'Bearer b'], code: 'invalid_request' },
  'the same header twice': {
    headers: ['Authorization', 'Bearer a', 'Authorization', 'Bearer a'],
    code: 'invalid_request'
  },
  'two headers in different letter case': {
    headers: ['authorization', 'Bearer a', 'X', 'y', 'AUTHORIZATION', 'Bearer b'],
    code: 'invalid_request'
  },
  'two headers, one of another scheme': {
    headers: ['Authorization', 'Basic YTpi', 'Authorization', 'Bearer a'],
    code: 'invalid_request'
  },
  'two headers, one of them empty': {
    headers: ['Authorization', '', 'Authorization', 'Bearer a'],
    code: 'invalid_request'
  }
}

t.test('the token of a request is the one word after Bearer in its one Authorization header', async (t) => {
  for (const [name, { headers, token, code }] of Object.entries(REQUESTS)) {
    t.same(read(headers), { token, code }, name)
  }
})

t.test('a header of many blanks is read in no time', async (t) => {
  const began = performance.now()
  t.same(read(['Authorization', `Bearer ${' '.repeat(2_000_000)}a`]), { token: 'a', code: undefined })
  between(t, performance.now() - began, { most: 1000 }, 'milliseconds')
})

function read(headers: string[]): { token?: string | undefined; code?: string | undefined } {
  try {
    return { token: readBearer(headers), code: undefined }
  } catch (error) {
    return { token: undefined, code: error instanceof Problem ? error.code : String(error) }
  }
}
