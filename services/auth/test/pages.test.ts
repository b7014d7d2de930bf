import t from 'tap'
import { startAuth } from './app.ts'

const auth = await startAuth(t, { env: { PASSWORD_MIN_LENGTH: '12' } })

const FILES = {
  '/verify-email': 'text/html; charset=utf-8',
  '/reset-password': 'text/html; charset=utf-8',
  '/pages/page.css': 'text/css; charset=utf-8',
  '/pages/page.js': 'text/javascript; charset=utf-8',
  '/pages/link.js': 'text/javascript; charset=utf-8',
  '/pages/send.js': 'text/javascript; charset=utf-8',
  '/pages/verify-email.js': 'text/javascript; charset=utf-8',
  '/pages/reset-password.js': 'text/javascript; charset=utf-8'
}

t.test('the pages and their files are served under a policy that lets them load nothing else', async (t) => {
  for (const [path, type] of Object.entries(FILES)) {
    const { status, headers } = await auth.send(`GET ${path}`)
    t.match(
      { status, ...headers },
      {
        status: 200,
        'content-type': type,
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff'
      }
    )
    t.strictSame(
      new Map(headers['content-security-policy']?.split('; ').map((part) => part.split(' ', 2) as [string, string])),
      new Map([
        ['default-src', "'none'"],
        ['script-src', "'self'"],
        ['style-src', "'self'"],
        ['connect-src', "'self'"],
        ['form-action', "'self'"],
        ['base-uri', "'none'"],
        ['frame-ancestors', "'none'"],
        ['require-trusted-types-for', "'script'"]
      ]),
      path
    )
    t.equal((await auth.send(`HEAD ${path}`)).status, 200)
    t.equal((await auth.send(`GET ${path}?utm_source=mail`)).status, 200, 'mail programs add a query')
  }
  for (const path of ['/pages/tsconfig.json', '/pages/verify-email.html', '/pages/..%2fpackage.json', '/pages/']) {
    t.equal((await auth.send(`GET ${path}`)).status, 404, path)
  }
})

t.test('they have no script and no style inside, are no part of the API, and name the least length', async (t) => {
  for (const page of ['/verify-email', '/reset-password']) {
    const { body } = await auth.send(`GET ${page}`)
    t.notMatch(body, /<style|\sstyle=|\son\w+=|<script(?! type="module" src="pages\/)|\{\{/, page)
  }
  t.match((await auth.send('GET /reset-password')).body, 'At least 12 characters')
  const { body } = await auth.send('GET /openapi.json')
  for (const page of Object.keys(FILES)) t.notOk(body.paths[page]?.get, page)
})

t.test('to look at a page changes nothing', async (t) => {
  const ada = await auth.person()
  const state = () => auth.database.query('SELECT * FROM users')
  const before = await state()
  const code = '0M3KQ7B2XD91ZTRVH5NAC8WPGE'
  for (const page of ['/verify-email', '/reset-password']) {
    t.equal((await auth.send(`GET ${page}?email=${ada.email}&code=${code}`)).status, 200)
  }
  t.strictSame(await state(), before)
  t.notMatch(JSON.stringify(auth.lines), code)
})
