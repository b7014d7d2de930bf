import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { startChat } from './app.ts'

const FOLDER = fileURLToPath(new URL('../page', import.meta.url))
const TYPES: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8'
}
const FILES = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(html|css|js)$/.test(name))
const urlOf = (name: string) => (name === 'index.html' ? '/' : `/page/${name}`)

t.test('the page and its files are served under a policy that lets them load nothing else', async (t) => {
  const chat = await startChat(t, { AUTH_URL: 'https://auth.example.com:8443/of/people' })
  t.ok(FILES.length > 20)
  for (const name of FILES) {
    const { status, headers } = await chat.send(undefined, `GET ${urlOf(name)}`)
    t.match(
      { status, ...headers },
      {
        status: 200,
        'content-type': TYPES[name.split('.').at(-1) ?? ''],
        'cache-control': 'no-cache',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff'
      },
      name
    )
    t.equal(
      headers['content-security-policy'],
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' https://auth.example.com:8443; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
      name
    )
  }
  for (const path of ['/page/tsconfig.json', '/page/index.html', '/page/..%2fpackage.json', '/page/', '/page/views']) {
    t.equal((await chat.send(undefined, `GET ${path}`)).status, 404, path)
  }
})

t.test('a browser that has a file already gets no second copy, and after a change the new one', async (t) => {
  const chat = await startChat(t)
  const ask = (etag: string) => chat.app.inject({ url: '/', headers: { 'if-none-match': etag } })
  const { etag = '' } = (await chat.app.inject({ url: '/' })).headers
  for (const known of [`${etag}`, `W/${etag}`, `"other", ${etag}`]) {
    const answer = await ask(known)
    t.equal(answer.statusCode, 304, known)
    t.equal(answer.body, '')
    t.equal(answer.headers.etag, etag)
  }
  t.equal((await ask('"other"')).statusCode, 200)
  t.equal((await chat.app.inject({ method: 'HEAD', url: '/?utm_source=mail' })).statusCode, 200)
})

t.test('the page is told where the auth service is, else that it is the issuer, and never more', async (t) => {
  const by = async (env: Record<string, string>) => (await (await startChat(t, env)).send(undefined, 'GET /')).body
  t.match(await by({}), '<meta name="latchkey-auth-url" content="https://auth.example.com">')
  t.match(await by({ AUTH_URL: 'http://127.0.0.1:9090/a$&b' }), 'content="http://127.0.0.1:9090/a$&#38;b"')
})

t.test('nothing stands inline, nothing is read as HTML, nothing is stored, and no token is named', async (t) => {
  const chat = await startChat(t)
  const { body } = await chat.send(undefined, 'GET /')
  t.notMatch(body, /<style|\sstyle=|\son\w+=|<script(?! type="module" src="page\/)|\{\{/)
  for (const name of FILES.filter((name) => name.endsWith('.js'))) {
    const text = readFileSync(`${FOLDER}/${name}`, 'utf8')
    t.notMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|setHTML/, name)
    t.notMatch(text, /localStorage|sessionStorage|indexedDB|document\.cookie|access_token|refresh_token/, name)
  }
  const api = (await chat.send(undefined, 'GET /openapi.json')).body
  for (const name of FILES) t.notOk(api.paths[urlOf(name)], name)
})
