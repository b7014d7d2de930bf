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

  await t.test('a person signs up and logs in by the examples as they stand', async (t) => {
    const { page, complaints } = await open(auth.url)
    t.equal(page.url(), `${auth.url}/docs`, 'the root leads to it')
    t.match(await execute(page, '/signup', '201'), /"email": "ada@example\.com"/)
    t.match(await execute(page, '/login', '200'), /"access_token": "\S+"/)
    t.same(complaints, [], 'the browser has nothing to complain of')
  })

  await t.test('the page of the resource service tells a visitor without a token what is missing', async (t) => {
    const { page, complaints } = await open(`${resource.url}/`)
    t.equal(page.url(), `${resource.url}/docs`)
    t.match(await execute(page, '/greet', '401'), /missing_token/)
    t.same(
      complaints.filter((text) => !text.includes('401')),
      [],
      'the browser has nothing else to complain of'
    )
  })

  // Sends what the page proposes, and returns what it shows of the answer when that has this status.
  async function execute(page: Page, path: string, status: string): Promise<string> {
    const block = page.locator('.opblock', { has: page.locator(`[data-path="${path}"]`) })
    await block.locator('.opblock-summary-control').click()
    await block.getByRole('button', { name: 'Try it out' }).click()
    await block.getByRole('button', { name: 'Execute' }).click()
    const answer = block.locator('.live-responses-table')
    await answer.locator('.response-col_status').getByText(status).first().waitFor()
    return answer.innerText()
  }

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
