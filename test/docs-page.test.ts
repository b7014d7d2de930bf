import { existsSync } from 'node:fs'
import { chromium, type Page } from 'playwright-core'
import t from 'tap'
import { startPair } from './pair.ts'

const BROWSER = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
]

t.test('the docs pages work in a browser under their policy', { skip: !BROWSER && 'no Chromium here' }, async (t) => {
  const { auth, resource } = await startPair(t)
  const browser = await chromium.launch({ executablePath: String(BROWSER), args: QUIET })
  t.teardown(() => browser.close())

  await t.test('a person signs up on the page of the auth service', async (t) => {
    const { page, complaints } = await open(`${auth.url}/docs`)
    const signup = page.locator('.opblock', { hasText: '/signup' })
    await signup.locator('.opblock-summary-control').click()
    await signup.getByRole('button', { name: 'Try it out' }).click()
    const body = { email: 'eve@example.com', username: 'Eve', password: 'a rather long password' }
    await signup.locator('textarea').fill(JSON.stringify(body))
    await signup.getByRole('button', { name: 'Execute' }).click()
    const answer = signup.locator('.live-responses-table')
    await answer.getByText('201', { exact: true }).first().waitFor()
    t.match(await answer.innerText(), /eve@example\.com/)
    t.same(complaints, [], 'the browser has nothing to complain of')
  })

  await t.test('the page of the resource service tells a visitor without a token what is missing', async (t) => {
    const { page, complaints } = await open(`${resource.url}/docs`)
    const greet = page.locator('.opblock', { hasText: '/greet' })
    await greet.locator('.opblock-summary-control').click()
    await greet.getByRole('button', { name: 'Try it out' }).click()
    await greet.getByRole('button', { name: 'Execute' }).click()
    const answer = greet.locator('.live-responses-table')
    await answer.getByText('401').first().waitFor()
    t.match(await answer.innerText(), /missing_token/)
    t.same(
      complaints.filter((text) => !text.includes('401')),
      [],
      'the browser has nothing else to complain of'
    )
  })

  async function open(url: string): Promise<{ page: Page; complaints: string[] }> {
    const page = await browser.newPage()
    const complaints: string[] = []
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(error.message))
    await page.goto(url)
    await page.locator('.opblock').first().waitFor()
    return { page, complaints }
  }
})
