import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { startPair } from './pair.ts'

const BROWSER = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
const QUIET = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update']
const ada = { email: 'ada@example.com', username: 'Ada', password: 'correct horse battery' }
const credentials = { email: ada.email, password: ada.password }

/** A server of pages on a port of its own; a browser counts it as the same site, and sends it our cookies too. */
async function startPages(t: Test): Promise<{ port: number; show(html: string): void }> {
  let shown = '<title>pages</title>'
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end(shown)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  t.teardown(() => void server.close().closeAllConnections())
  const show = (html: string) => {
    shown = html
  }
  return { port: (server.address() as AddressInfo).port, show }
}

t.test('sign-in by cookie in a browser', { skip: !BROWSER && 'no Chromium here' }, async (t) => {
  const [pages, foreign] = [await startPages(t), await startPages(t)]
  const app = `http://127.0.0.1:${pages.port}`
  const settings = { CORS_ORIGINS: app, ACCESS_TOKEN_TTL: '15s', COOKIE_RENEWAL_WINDOW: '5s', CLOCK_LEEWAY: '0s' }
  const { auth, resource } = await startPair(t, settings, { resource: { CORS_ORIGINS: app, CLOCK_LEEWAY: '0s' } })
  const headers = { 'content-type': 'application/json' }
  await fetch(`${auth.url}/signup`, { method: 'POST', headers, body: JSON.stringify(ada) })
  const chrome = await chromium.launch({ executablePath: String(BROWSER), args: QUIET })
  t.teardown(() => chrome.close())

  /** A browser without cookies, with the page of a listed origin open. */
  async function open(t: Test): Promise<{ context: BrowserContext; page: Page }> {
    const context = await chrome.newContext()
    t.teardown(() => context.close())
    const page = await context.newPage()
    await page.goto(app)
    return { context, page }
  }

  /** What a script of the page is answered. */
  function call(page: Page, line: string, body?: object): Promise<{ status: number; text: string }> {
    const [method = '', url = ''] = line.split(' ')
    return page.evaluate(
      async ([method, url, body]) => {
        const json = { 'content-type': 'application/json' }
        const answer = await fetch(url, { method, credentials: 'include', ...(body && { body, headers: json }) })
        return { status: answer.status, text: await answer.text() }
      },
      [method, url, body ? JSON.stringify(body) : ''] as const
    )
  }

  async function signIn(page: Page): Promise<void> {
    t.equal((await call(page, `POST ${auth.url}/signin`, credentials)).status, 200)
  }

  const me = async (page: Page) => (await call(page, `GET ${auth.url}/me`)).status
  const renew = async (page: Page) => (await call(page, `POST ${auth.url}/refresh`)).status

  await t.test(
    'a listed page signs in and is welcome at both services, and no script can read the cookies',
    async (t) => {
      const { context, page } = await open(t)
      await signIn(page)
      t.equal(await me(page), 200)
      t.match(await call(page, `GET ${resource.url}/welcome`), { status: 200, text: 'Welcome Ada!' })
      const kept = await context.cookies()
      t.strictSame(
        kept.map(({ name, httpOnly, secure, sameSite, path }) => ({ name, httpOnly, secure, sameSite, path })),
        [
          { name: 'token', httpOnly: true, secure: false, sameSite: 'Lax', path: '/' },
          { name: 'refresh_token', httpOnly: true, secure: false, sameSite: 'Strict', path: '/' }
        ]
      )
      t.equal(await page.evaluate('document.cookie'), '', 'the page sees none')
      await page.goto(`${auth.url}/docs`)
      t.equal(await page.evaluate('document.cookie'), '', 'nor does one of the service itself')
    }
  )

  await t.test(
    'a renewal keeps the user in after the access cookie has expired, in two tabs at once too',
    async (t) => {
      const { context, page } = await open(t)
      await signIn(page)
      t.equal(await renew(page), 400, 'at first it is too early')
      while ((await me(page)) === 200) await sleep(200)
      t.equal(await me(page), 401)
      const tab = await context.newPage()
      await tab.goto(app)
      // On a slow machine the second one comes with the cookies of the first, and is too early.
      const answers = await Promise.all([renew(page), renew(tab)])
      t.match(answers.sort(), [200, /^(200|400)$/])
      t.strictSame(await Promise.all([me(page), me(tab)]), [200, 200])
    }
  )

  await t.test('a form on a page that is not listed neither logs out nor renews', async (t) => {
    // On the first the browser sends the cookies along, Strict or not: only the port differs.
    for (const host of ['127.0.0.1', 'localhost']) {
      const { context, page } = await open(t)
      for (const path of ['/logout', '/refresh', '/logout-everywhere']) {
        await signIn(page)
        const before = (await context.cookies()).map(({ value }) => value)
        foreign.show(
          `<form method="post" action="${auth.url}${path}"></form><script>document.forms[0].submit()</script>`
        )
        const tab = await context.newPage()
        const answered = tab.waitForResponse(`${auth.url}${path}`)
        await tab.goto(`http://${host}:${foreign.port}`)
        const answer = await answered
        const about = `${path} from ${host}`
        t.strictSame([answer.status(), (await answer.json()).code], [403, 'cross_site'], about)
        const sent = (await answer.request().allHeaders())['cookie'] ?? ''
        t.equal(sent.includes('refresh_token='), host === '127.0.0.1', `${about}: the cookies were sent along`)
        t.strictSame(
          (await context.cookies()).map(({ value }) => value),
          before,
          `${about}: the cookies stay`
        )
        t.equal(await me(page), 200, about)
        await tab.close()
      }
    }
  })

  await t.test('a logout ends the session at the server, and the back button shows nothing of it', async (t) => {
    const { context, page } = await open(t)
    await signIn(page)
    const cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ')
    await page.goto(`${resource.url}/welcome`)
    t.equal(await page.innerText('body'), 'Welcome Ada!')
    await page.goto(app)
    t.equal((await call(page, `POST ${auth.url}/logout`)).status, 204)
    t.strictSame(await context.cookies(), [])
    await page.goBack()
    t.equal(page.url(), `${resource.url}/welcome`)
    t.match(await page.innerText('body'), /missing_token/)
    t.notMatch(await page.innerText('body'), /Welcome/)
    const copied = await fetch(`${auth.url}/refresh`, { method: 'POST', headers: { cookie } })
    t.equal(copied.status, 401)
    t.match(await copied.json(), { code: 'invalid_token' }, 'copied cookies are worth nothing')
  })
})
