// The links of mails, opened in a browser, from the mail to the account: with the real service.
import { existsSync } from 'node:fs'
import { startMailServer } from '@latchkey/testing/mail-server'
import { chromium, type Page } from 'playwright-core'
import t from 'tap'
import { startPair } from './pair.ts'

const BROWSER = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
const QUIET = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update']
const PUBLIC_URL = 'https://links.example.com'
const PASSWORD = 'a quiet harbour at dawn'
const NEW = 'staple of another kind'

t.test('every link of a mail leads to the end', { skip: !BROWSER && 'no Chromium here' }, async (t) => {
  const server = await startMailServer(t)
  const { auth } = await startPair(t, { SMTP_URL: server.url, MAIL_FROM: 'no-reply@example.com', PUBLIC_URL })
  const browser = await chromium.launch({ executablePath: String(BROWSER), args: QUIET })
  t.teardown(() => browser.close())

  async function call(method: string, path: string, body?: object, token?: string) {
    const response = await fetch(auth.url + path, {
      method,
      headers: {
        ...(body && { 'content-type': 'application/json' }),
        ...(token && { authorization: `Bearer ${token}` })
      },
      ...(body && { body: JSON.stringify(body) })
    })
    const text = await response.text()
    return { status: response.status, body: text ? JSON.parse(text) : undefined }
  }

  // In a browser that knows nothing of earlier ones.
  async function follow(link: string): Promise<Page> {
    const page = await (await browser.newContext()).newPage()
    await page.goto(link.replace(PUBLIC_URL, auth.url))
    return page
  }
  const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()
  const heading = (page: Page, text: string) => page.locator('h1:visible').getByText(text).waitFor()
  const me = async (token: string) => (await call('GET', '/me', undefined, token)).body
  const login = async (email: string, password: string) => call('POST', '/login', { email, password })

  const email = 'ada@example.com'
  await call('POST', '/signup', { email, username: 'Ada', password: PASSWORD })
  const { access_token: access } = (await login(email, PASSWORD)).body

  await t.test('the address is verified, once', async (t) => {
    const { link } = await server.take(email)
    const page = await follow(link)
    t.match(await me(access), { email_verified: false }, 'to open the link changes nothing')
    await press(page, 'Confirm this address')
    await heading(page, 'Your address is confirmed')
    t.match(await me(access), { email_verified: true })
    const again = await follow(link)
    await press(again, 'Confirm this address')
    await heading(again, 'This code does not work')
    await press(again, 'Send a new code')
    await heading(again, 'Look into your mailbox')
  })

  await t.test('the address is changed by who signs in, and nobody stays signed in', async (t) => {
    const next = 'ada@elsewhere.example'
    await call('PUT', '/update-email', { email: next, current_password: PASSWORD }, access)
    const page = await follow((await server.take(next)).link)
    await press(page, 'Confirm this address')
    await heading(page, 'Sign in to change your address')
    await page.getByLabel('Old email address').fill(email)
    await page.getByLabel('Password').fill('wrong')
    await press(page, 'Sign in and confirm')
    await page.getByText('The email address or the password is wrong.').waitFor()
    await page.getByLabel('Password').fill(PASSWORD)
    const isLoggedOut = page.waitForResponse(/\/logout$/)
    await press(page, 'Sign in and confirm')
    await heading(page, 'Your address is confirmed')
    t.equal((await isLoggedOut).status(), 204)
    t.strictSame(await page.context().cookies(), [])
    t.match(await me(access), { email: next, email_verified: true })
    t.equal((await login(email, PASSWORD)).status, 401, 'the old address is free')
  })

  await t.test('who is signed in by cookie changes the address on the click alone, and stays signed in', async (t) => {
    const [old, next] = ['ada@elsewhere.example', 'ada@third.example']
    await call('PUT', '/update-email', { email: next, current_password: PASSWORD }, access)
    const page = await follow((await server.take(next)).link)
    await page.evaluate(
      `fetch('signin', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '${JSON.stringify({ email: old, password: PASSWORD })}' })`
    )
    await press(page, 'Confirm this address')
    await heading(page, 'Your address is confirmed')
    t.equal((await page.context().cookies()).length, 2)
    t.match(await me(access), { email: next })
  })

  await t.test('a forgotten password is replaced, after the service has refused a short one', async (t) => {
    const address = 'ada@third.example'
    await call('POST', '/forgot-password', { email: address })
    const page = await follow((await server.take(address, 'new password')).link)
    const input = page.getByLabel('New password', { exact: true })
    await input.fill('short')
    await press(page, 'Set the new password')
    await page.getByText('This must have at least 8 characters.').waitFor()
    await input.fill(NEW)
    await press(page, 'Set the new password')
    await heading(page, 'Your password is set')
    t.equal((await login(address, PASSWORD)).status, 401)
    t.equal((await login(address, NEW)).status, 200)
  })
})
