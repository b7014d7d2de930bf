// The two pages that links in mails lead to, in a browser. Their requests are answered by the test, so that every answer
// of the service can be tried; mail-flow.test.ts has the whole way with the service itself.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { startPair } from './pair.ts'

const BROWSER = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
]
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What a section looks like at its fullest, as a script of the page. */
const WITH_EVERYTHING = `(id) => {
  for (const section of document.querySelectorAll('section')) section.hidden = section.id !== id
  for (const part of document.querySelectorAll('#' + id + ' [hidden]')) part.hidden = false
  for (const place of document.querySelectorAll('.error, .message')) place.textContent = 'Something is wrong.'
}`

const EMAIL = 'ada+x@example.com'
const CODE = '0M3KQ7B2XD91ZTRVH5NAC8WPGE'
const LINK = `#email=${encodeURIComponent(EMAIL)}&code=${CODE}`

/** An answer of the service: its status, and the members of the problem. */
interface Reply {
  readonly status: number
  readonly body?: object
  readonly headers?: Record<string, string>
}

const DONE: Reply = { status: 204 }
const problem = (status: number, code: string, more: object = {}): Reply => ({
  status,
  body: { code, status, detail: `The text of ${code}.`, request_id: 'a-number', ...more }
})

interface Opened {
  readonly page: Page
  /** What the page has sent, as in `POST verify-email {"email":…}`. */
  readonly sent: string[]
  /** What the browser has complained of. */
  readonly complaints: string[]
}

t.test('the pages of mails', { skip: !BROWSER && 'no Chromium here' }, async (t) => {
  const { auth } = await startPair(t)
  const browser = await chromium.launch({ executablePath: String(BROWSER), args: QUIET })
  t.teardown(() => browser.close())

  /** Opens a page; the service gives these answers, one after the other for each path. */
  async function open(
    path: string,
    answers: Record<string, Reply[]> = {},
    options: BrowserContextOptions = {}
  ): Promise<Opened> {
    const context = await browser.newContext(options)
    const page = await context.newPage()
    const opened: Opened = { page, sent: [], complaints: [] }
    page.on('console', (message) => message.type() === 'error' && opened.complaints.push(message.text()))
    page.on('pageerror', (error) => opened.complaints.push(error.message))
    await page.route('**/*', async (route) => {
      const request = route.request()
      if (request.method() !== 'POST') return route.continue()
      const place = new URL(request.url()).pathname.slice(1)
      opened.sent.push(`${place} ${request.postData() ?? ''}`.trim())
      const { status = 500, body, headers } = answers[place]?.shift() ?? {}
      await route.fulfill({ status, headers: headers ?? {}, ...(body && { json: body }) })
    })
    await page.goto(`${auth.url}${path}`)
    return opened
  }

  const heading = (page: Page) => page.locator('h1:visible').innerText()
  const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()
  const shows = (page: Page, text: string) => page.getByText(text).and(page.locator(':visible')).first().waitFor()

  await t.test('the code leaves the address bar at once, and is sent on a click alone', async (t) => {
    const { page, sent, complaints } = await open(`/verify-email${LINK}`, { 'verify-email': [DONE] })
    t.equal(await heading(page), 'Confirm your email address')
    await shows(page, EMAIL)
    t.equal(page.url(), `${auth.url}/verify-email`)
    t.equal(await page.evaluate('history.length'), 2, 'and the history')
    t.strictSame(sent, [])
    await press(page, 'Confirm this address')
    await shows(page, 'Your address is confirmed')
    t.strictSame(sent, [`verify-email {"email":"${EMAIL}","code":"${CODE}"}`])
    t.equal(await page.evaluate('document.activeElement.textContent'), 'Your address is confirmed', 'it is read aloud')
    t.strictSame(complaints, [])
  })

  await t.test('the whole page is used with the keyboard alone', async (t) => {
    const { page, sent } = await open(`/reset-password${LINK}`, { 'reset-password': [DONE] })
    await page.keyboard.press('Tab')
    await page.keyboard.type('a quiet harbour')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Space')
    t.equal(await page.getByLabel('New password', { exact: true }).getAttribute('type'), 'text', 'shown')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await shows(page, 'Your password is set')
    t.strictSame(sent, [`reset-password {"email":"${EMAIL}","code":"${CODE}","new_password":"a quiet harbour"}`])
  })

  await t.test('a code that does not work leads to a new one', async (t) => {
    for (const [path, button, ask] of [
      ['verify-email', 'Confirm this address', 'verify-email/resend'],
      ['reset-password', 'Set the new password', 'forgot-password']
    ] as const) {
      const answers = { [path]: [problem(400, 'invalid_code')], [ask]: [{ status: 202 }] }
      const { page, sent } = await open(`/${path}${LINK}`, answers)
      await press(page, button)
      await shows(page, 'This code does not work')
      await press(page, 'Send a new code')
      await shows(page, 'Look into your mailbox')
      t.equal(sent[1], `${ask} {"email":"${EMAIL}"}`)
    }
  })

  await t.test('the faults of a password stand beside it, and the field has the focus', async (t) => {
    const errors = [{ field: 'new_password', message: 'must have at least 8 characters' }]
    const { page } = await open(`/reset-password${LINK}`, {
      'reset-password': [problem(400, 'invalid_input', { errors }), DONE]
    })
    const input = page.getByLabel('New password', { exact: true })
    await input.fill('short')
    await press(page, 'Set the new password')
    await shows(page, 'This must have at least 8 characters.')
    t.equal(await input.getAttribute('aria-invalid'), 'true')
    t.match(await page.evaluate('document.activeElement.id'), 'new_password')
    await input.fill('long enough now')
    await press(page, 'Set the new password')
    await shows(page, 'Your password is set')
  })

  await t.test('a change of address has the person sign in first, and out again', async (t) => {
    const { page, sent } = await open(`/verify-email${LINK}`, {
      'verify-email': [problem(401, 'missing_token'), DONE],
      refresh: [problem(401, 'missing_token')],
      signin: [problem(401, 'invalid_credentials'), { status: 200, body: {} }],
      logout: [DONE]
    })
    await press(page, 'Confirm this address')
    await shows(page, 'Sign in to change your address')
    await page.getByLabel('Old email address').fill('old@example.com')
    await page.getByLabel('Password').fill('wrong')
    await press(page, 'Sign in and confirm')
    await shows(page, 'The text of invalid_credentials.')
    await page.getByLabel('Password').fill('a quiet harbour')
    await press(page, 'Sign in and confirm')
    await shows(page, 'Your address is confirmed')
    const code = `verify-email {"email":"${EMAIL}","code":"${CODE}"}`
    t.strictSame(sent, [
      code,
      'refresh',
      'signin {"email":"old@example.com","password":"wrong"}',
      'signin {"email":"old@example.com","password":"a quiet harbour"}',
      code,
      'logout'
    ])
  })

  await t.test('who is signed in with an access cookie that has expired need not sign in', async (t) => {
    const { page, sent } = await open(`/verify-email${LINK}`, {
      'verify-email': [problem(401, 'missing_token'), DONE],
      refresh: [{ status: 200, body: {} }]
    })
    await press(page, 'Confirm this address')
    await shows(page, 'Your address is confirmed')
    const code = `verify-email {"email":"${EMAIL}","code":"${CODE}"}`
    t.strictSame(sent, [code, 'refresh', code])
  })

  await t.test('other refusals are told, with the time to wait where there is one', async () => {
    const replies: [Reply, string][] = [
      [
        { ...problem(429, 'too_many_requests'), headers: { 'Retry-After': '600' } },
        'Too many tries. Try again in 10 minutes.'
      ],
      [
        { ...problem(503, 'unavailable'), headers: { 'Retry-After': '1' } },
        'The service is busy. Try again in a second.'
      ],
      [{ status: 502 }, 'Something went wrong here.'],
      [problem(500, 'internal_error'), 'report it with the number a-number'],
      [problem(409, 'email_taken'), `Another account has the address ${EMAIL} by now`],
      [problem(403, 'cross_site'), 'The text of cross_site.'],
      [
        problem(400, 'invalid_input', { errors: [{ field: 'email', message: 'must be an email address' }] }),
        'This must be an email address.'
      ]
    ]
    const { page } = await open(`/verify-email${LINK}`, { 'verify-email': replies.map(([reply]) => reply) })
    for (const [, text] of replies) {
      await press(page, 'Confirm this address')
      await shows(page, text)
    }
    await page.context().setOffline(true)
    await page.unroute('**/*')
    await press(page, 'Confirm this address')
    await shows(page, 'There was no answer.')
  })

  await t.test('without a link both are entered by hand; a second link in the same tab counts', async (t) => {
    const { page, sent } = await open('/verify-email', { 'verify-email': [DONE, DONE] })
    await page.getByRole('textbox', { name: 'Email address', exact: true }).fill(EMAIL)
    await page.getByRole('textbox', { name: 'Code' }).fill('0m3kq-7b2xd')
    await press(page, 'Confirm this address')
    await shows(page, 'Your address is confirmed')
    await page.evaluate("location.hash = '#email=bob%40example.com&code=SECOND'")
    await shows(page, 'bob@example.com')
    await press(page, 'Confirm this address')
    await shows(page, 'Your address is confirmed')
    t.strictSame(sent, [
      `verify-email {"email":"${EMAIL}","code":"0m3kq-7b2xd"}`,
      'verify-email {"email":"bob@example.com","code":"SECOND"}'
    ])
    const hostile = await open('/verify-email#email=<img src=x onerror=alert(1)>&code=%zz%')
    t.equal(await hostile.page.locator('img').count(), 0)
    t.strictSame(hostile.complaints, [])
  })

  await t.test('two clicks at once send one request', async (t) => {
    const { page, sent } = await open(`/verify-email${LINK}`, { 'verify-email': [DONE, DONE] })
    await page.evaluate("for (const _ of [1, 2]) document.querySelector('#confirm button').click()")
    await shows(page, 'Your address is confirmed')
    t.equal(sent.length, 1)
  })

  await t.test('without JavaScript a sentence says what to do', async (t) => {
    const plain = await chromium.launch({
      executablePath: String(BROWSER),
      args: [...QUIET, '--blink-settings=scriptEnabled=false']
    })
    t.teardown(() => plain.close())
    const page = await plain.newPage()
    for (const path of ['/verify-email', '/reset-password']) {
      await page.goto(auth.url + path)
      const sentence = page.locator('noscript p')
      t.match(await sentence.innerText(), 'This page needs JavaScript.')
      t.ok(await sentence.isVisible())
      t.equal(await page.locator('form:visible').count(), 0)
    }
  })

  await t.test('nothing is wider than a small phone, and axe finds no fault in light and dark', async (t) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const viewport of [
        { width: 320, height: 640 },
        { width: 1280, height: 800 }
      ]) {
        await everyState(t, { colorScheme, viewport, bypassCSP: true })
      }
    }
  })

  /** Walks through every section of both pages and looks at each. */
  async function everyState(t: Test, options: BrowserContextOptions): Promise<void> {
    const long = `#email=${'a'.repeat(64)}@${'b'.repeat(60)}.example.com&code=${CODE}`
    for (const path of ['verify-email', 'reset-password']) {
      const { page } = await open(`/${path}${long}`, {}, options)
      await page.evaluate(AXE)
      for (const id of await page.locator('section').evaluateAll((sections) => sections.map((section) => section.id))) {
        await page.evaluate(`(${WITH_EVERYTHING})('${id}')`)
        const { violations } = (await page.evaluate('axe.run()')) as { violations: { id: string; help: string }[] }
        const name = `${path} ${id} ${options.colorScheme} ${options.viewport?.width}`
        t.strictSame(
          violations.map(({ id, help }) => `${id}: ${help}`),
          [],
          name
        )
        t.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), `${name} fits`)
      }
      await page.context().close()
    }
  }
})
