import { existsSync } from 'node:fs'
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core'
import type { Test } from 'tap'

const BROWSER = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
]

/** Why tests of the page are skipped; false: they are not. */
export const SKIPS_BROWSER = !BROWSER && 'no Chromium here'

export const PASSWORD = 'a quiet harbour'

/** Starts a browser, which is closed when the test ends. */
export async function startBrowser(t: Test): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: String(BROWSER), args: QUIET })
  t.teardown(() => browser.close())
  return browser
}

/** Somebody at the page of the chat, in a browser of their own. */
export interface Person {
  readonly page: Page
  readonly name: string
  /** What the browser has complained of, besides answers of 4xx and 5xx and lost connections. */
  readonly complaints: string[]
  /** The addresses of the sockets that were opened. */
  readonly sockets: string[]
}

/** Opens the page, and keeps what the browser complains of. */
export async function openChat(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Person> {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  const person: Person = { page, name: '', complaints: [], sockets: [] }
  page.on('console', (message) => {
    const isNetwork = /Failed to load resource|ERR_|WebSocket connection/.test(message.text())
    if (message.type() === 'error' && !isNetwork) person.complaints.push(message.text())
  })
  page.on('pageerror', (error) => person.complaints.push(error.message))
  page.on('websocket', (socket) => person.sockets.push(socket.url()))
  await load(page, url)
  return person
}

/**
 * Loads the page and waits until its scripts run. Where the network of the machine changes meanwhile, as beside containers
 * that come and go, Chromium gives up requests to this machine too: then it is loaded again.
 */
export async function load(page: Page, url: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    await page.goto('about:blank')
    await page.goto(url)
    const isUp = page.locator('#sign-in:not([hidden]), #app:not([hidden])').first().waitFor({ timeout: 10_000 })
    if (
      await isUp.then(
        () => true,
        (error) => tries === 3 && Promise.reject(error)
      )
    )
      return
  }
}

/** Signs somebody up by the form, and waits until the page is live. */
export async function signUp(
  browser: Browser,
  url: string,
  name: string,
  options: BrowserContextOptions = {}
): Promise<Person> {
  const person = await openChat(browser, url, options)
  const { page } = person
  await press(page, 'Make an account')
  await page.getByLabel('Email address').fill(`${name.toLowerCase()}@example.com`)
  await page.getByLabel('Your name').fill(name)
  await page.getByLabel('Password').fill(PASSWORD)
  await press(page, 'Sign up')
  await isLive(page)
  return { ...person, name }
}

/** Waits until the page says that it is live. */
export async function isLive(page: Page): Promise<void> {
  await page.locator('#status[data-state="open"]').waitFor()
}

/** Presses the button with exactly this name. */
export async function press(at: Page | Locator, name: string): Promise<void> {
  await at.getByRole('button', { name, exact: true }).click()
}

/** Chooses what this menu offers; with what is asked then, if anything. */
export async function choose(at: Page | Locator, menu: string, item: string, confirm?: string): Promise<void> {
  await at.getByRole('button', { name: menu, exact: true }).last().click()
  await at.getByRole('menuitem', { name: item, exact: true }).click()
  if (confirm) await press(pageOf(at).getByRole('dialog'), confirm)
}

function pageOf(at: Page | Locator): Page {
  return 'page' in at ? at.page() : at
}

/** Writes a message and sends it. */
export async function write(page: Page, text: string): Promise<void> {
  await page.getByLabel('Message', { exact: true }).fill(text)
  await page.keyboard.press('Enter')
}

/** The messages of the log with this text, without those that are on their way. */
export function saidAs(page: Page, text: string): Locator {
  return page.locator('#past .text, #live .text').getByText(text, { exact: true })
}

/** Waits until this stands in the log. */
export async function reads(page: Page, text: string): Promise<void> {
  await saidAs(page, text).first().waitFor()
}

/** Makes a room and opens it. */
export async function makeRoom(page: Page, name: string, visibility: 'Public' | 'Private' = 'Public'): Promise<void> {
  await press(page, 'New')
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill(name)
  await dialog.getByLabel(visibility).check()
  await press(dialog, 'Make the room')
  await page.getByRole('heading', { name, exact: true }).waitFor()
  await isLive(page)
}

/** Joins a public room by the list of them. */
export async function joinRoom(page: Page, name: string): Promise<void> {
  await press(page, 'Browse')
  await press(page.getByRole('dialog'), `Join ${name}`)
  await page.getByRole('heading', { name, exact: true }).waitFor()
  await isLive(page)
}
